import LoadReport

/// What `berth top` shows.
enum TopView {
    /// By what servers and tools are sorted.
    enum Order: String, CaseIterable {
        case name, calls, failures, sessions

        /// The one after it, the first after the last.
        var next: Order {
            let all = Order.allCases
            return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
        }
    }

    /// What the screen shows beside the samples.
    struct Setting {
        var order = Order.name
        var isPaused = false
        /// Why there is no new sample; nil: there is one.
        var problem: String?
        /// Lines that were scrolled past.
        var offset = 0
    }

    /// All lines of a screen of so many rows, none wider than the style's width, without newlines.
    static func lines(_ history: TopHistory, _ setting: Setting, rows: Int, style: TerminalStyle) -> [String] {
        var lines = head(history, setting, style)
        let foot = foot(setting, style)
        let space = max(0, rows - lines.count - foot.count)
        let toolRows = history.tools.isEmpty ? 0 : min(history.tools.count + 2, max(3, space / 2))
        lines += servers(history, setting, rows: space - toolRows, style)
        if toolRows > 0 { lines += tools(history, setting, rows: toolRows, style) }
        let used = lines.count
        if used < rows - foot.count { lines += Array(repeating: "", count: rows - foot.count - used) }
        return (Array(lines.prefix(max(0, rows - foot.count))) + foot).map { cut($0, to: style.width) }
    }

    /// The line without what a terminal of so many columns has no place for. Colours take no column.
    private static func cut(_ line: String, to columns: Int) -> String {
        var result = ""
        var used = 0
        var isInSequence = false
        for character in line {
            if isInSequence || character == "\u{1b}" {
                isInSequence = !(isInSequence && character.isLetter)
                result.append(character)
            } else if used < columns {
                result.append(character)
                used += 1
            }
        }
        return result
    }

    /// The state in a few lines, for an output that is not redrawn.
    static func block(_ history: TopHistory, style: TerminalStyle) -> String {
        let everything = history.servers.count + history.tools.count + 12
        let setting = Setting()
        let lines =
            head(history, setting, style) + servers(history, setting, rows: everything, style)
            + (history.tools.isEmpty ? [] : tools(history, setting, rows: everything, style))
        return lines.map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined() + "\n"
    }

    // MARK: - Head and foot

    private static func head(_ history: TopHistory, _ setting: Setting, _ style: TerminalStyle) -> [String] {
        guard let sample = history.latest else { return [style.tint("berth top", .strong)] }
        let configuration = sample.configuration.map { "  configuration \($0.hash.prefix(8))" } ?? ""
        let process = "pid \(sample.pid)  up \(NumberFormat.clock(seconds: sample.uptimeSeconds))\(configuration)"
        let title = "berth"
        var lines = [
            style.tint(title, .strong) + style.tint(("  " + process).cut(to: max(0, style.width - title.count)), .quiet)
        ]
        let healthy = history.servers.count { $0.server.state == "healthy" }
        let all = history.servers.count
        lines.append(
            pieces(
                [
                    ("\(healthy) of \(all) servers healthy", healthy == all ? .good : healthy == 0 ? .bad : .warning),
                    ("\(NumberFormat.count(UInt64(clamping: sample.clients))) clients", .plain),
                    (count(history, \.sessions) + " sessions", .plain),
                    (count(history, \.streams) + " streams", .plain),
                    (count(history, \.pool.waiting) + " waiting", waits(history) ? .warning : .plain),
                ], style))
        let rate = NumberFormat.rate(history.rates.last ?? 0)
        let failures = NumberFormat.rate(history.failureRate)
        let figures = "\(rate) calls/s   \(failures) failures/s   "
        let chart = Bars.sparkline(
            history.rates, width: max(0, min(60, style.width - figures.count)), blocks: style.blocks)
        lines.append(
            style.tint("\(rate) calls/s", .strong) + "   "
                + style.tint("\(failures) failures/s", history.failureRate > 0 ? .bad : .plain) + "   " + chart)
        for warning in warnings(sample, setting) { lines.append(style.tint(warning.cut(to: style.width), .bad)) }
        return lines + [""]
    }

    private static func warnings(_ sample: TopSample, _ setting: Setting) -> [String] {
        var found: [String] = []
        if let problem = setting.problem { found.append("\(problem.sanitized); trying again") }
        if sample.draining { found.append("the process drains: it ends when its calls and streams have") }
        if sample.configuration?.lastError != nil { found.append("the last reload was rejected; see berth status") }
        return found
    }

    private static func count(_ history: TopHistory, _ path: KeyPath<TopSample.Server, Int>) -> String {
        NumberFormat.count(UInt64(clamping: history.servers.reduce(0) { $0 + $1.server[keyPath: path] }))
    }

    private static func waits(_ history: TopHistory) -> Bool { history.servers.contains { $0.server.pool.waiting > 0 } }

    private static func foot(_ setting: Setting, _ style: TerminalStyle) -> [String] {
        let keys = "q quit   s sort: \(setting.order.rawValue)   p \(setting.isPaused ? "go on" : "pause")   ↑↓ scroll"
        return ["", style.tint(((setting.isPaused ? "PAUSED   " : "") + keys).cut(to: style.width), .quiet)]
    }

    private static func pieces(_ pieces: [(text: String, tone: Tone)], _ style: TerminalStyle) -> String {
        var used = 0
        var line = ""
        for (index, piece) in pieces.enumerated() {
            let gap = index == 0 ? "" : "   "
            guard used + gap.count + piece.text.count <= style.width else { break }
            line += gap + style.tint(piece.text, piece.tone)
            used += gap.count + piece.text.count
        }
        return line
    }

    // MARK: - Tables

    private static func servers(
        _ history: TopHistory, _ setting: Setting, rows: Int, _ style: TerminalStyle
    ) -> [String] {
        guard rows > 1 else { return [] }
        let sorted = history.servers.sorted { first, second in
            switch setting.order {
            case .name: return first.name < second.name
            case .calls: return (first.callRate, second.name) > (second.callRate, first.name)
            case .failures: return (first.failureRate, second.name) > (second.failureRate, first.name)
            case .sessions: return (first.server.sessions, second.name) > (second.server.sessions, first.name)
            }
        }
        let columns = ServerColumns(width: style.width, longest: sorted.map(\.name.count).max() ?? 0)
        let (shown, hidden) = window(sorted, rows: rows - 1, offset: setting.offset)
        return [style.tint(columns.head, .quiet)] + shown.map { columns.line($0, style) }
            + hidden.map {
                style.tint($0, .quiet)
            }
    }

    private static func tools(
        _ history: TopHistory, _ setting: Setting, rows: Int, _ style: TerminalStyle
    ) -> [String] {
        let sorted = history.tools.sorted { first, second in
            switch setting.order {
            case .name: return first.name < second.name
            case .calls, .sessions: return (first.callRate, second.name) > (second.callRate, first.name)
            case .failures: return (first.errorShare ?? 0, second.name) > (second.errorShare ?? 0, first.name)
            }
        }
        let columns = ToolColumns(width: style.width)
        let (shown, hidden) = window(sorted, rows: rows - 2, offset: 0)
        return ["", style.tint(columns.head, .quiet)] + shown.map { columns.line($0, style) }
            + hidden.map { style.tint($0, .quiet) }
    }

    /// The lines that fit, and a line about those that do not.
    private static func window<Line>(_ lines: [Line], rows: Int, offset: Int) -> (shown: [Line], hidden: [String]) {
        guard lines.count > rows else { return (lines, []) }
        let space = max(0, rows - 1)
        let start = min(max(0, offset), max(0, lines.count - space))
        let shown = Array(lines[start..<min(lines.count, start + space)])
        return (shown, ["  \(shown.count) of \(lines.count) shown"])
    }
}

/// The columns of the servers' table.
private struct ServerColumns {
    private let nameWidth: Int
    private let chartWidth: Int
    private static let figures = "  STATE       WT   SESS   STRM  CALLS   CALLS/S   FAIL/S"

    init(width: Int, longest: Int) {
        let space = max(8, width - Self.figures.count)
        nameWidth = min(max(longest, 6), space)
        chartWidth = min(30, max(0, space - nameWidth - 2))
    }

    var head: String {
        let chart = chartWidth >= 11 ? "  LAST MINUTE" : ""
        return "SERVER".padded(to: nameWidth) + Self.figures + chart
    }

    func line(_ line: TopHistory.ServerLine, _ style: TerminalStyle) -> String {
        let server = line.server
        let name = line.name.sanitized.cut(to: nameWidth).padded(to: nameWidth)
        let state = Self.symbol(server.state, style) + " " + server.state.padded(to: 9)
        let figures =
            "\(server.weight)".rightAligned(in: 3) + "\(server.sessions)".rightAligned(in: 7)
            + "\(server.streams)".rightAligned(in: 7) + "\(server.pool.active)".rightAligned(in: 7)
            + NumberFormat.rate(line.callRate).rightAligned(in: 10)
        let failures = NumberFormat.rate(line.failureRate).rightAligned(in: 9)
        let chart = chartWidth >= 11 ? "  " + Bars.sparkline(line.rates, width: chartWidth, blocks: style.blocks) : ""
        return name + "  " + style.tint(state, Self.tone(server.state)) + figures
            + style.tint(failures, line.failureRate > 0 ? .bad : .plain) + chart
    }

    /// A sign for those who see no colours.
    private static func symbol(_ state: String, _ style: TerminalStyle) -> String {
        switch state {
        case "healthy": style.blocks ? "●" : "+"
        case "down": style.blocks ? "✕" : "x"
        default: style.blocks ? "○" : "o"
        }
    }

    private static func tone(_ state: String) -> Tone {
        switch state {
        case "healthy": .good
        case "down": .bad
        default: .warning
        }
    }
}

/// The columns of the tools' table.
private struct ToolColumns {
    private let nameWidth: Int
    private static let figures = "     CALLS   CALLS/S      P50      P95      P99    ERR"

    init(width: Int) { nameWidth = min(48, max(8, width - Self.figures.count)) }

    var head: String { "TOOL".padded(to: nameWidth) + Self.figures }

    func line(_ line: TopHistory.ToolLine, _ style: TerminalStyle) -> String {
        let name = line.name.sanitized.cut(to: nameWidth).padded(to: nameWidth)
        let share = line.errorShare.map { NumberFormat.fixed($0 * 100, 1) + "%" } ?? NumberFormat.none
        return name + NumberFormat.count(UInt64(clamping: line.tool.calls)).rightAligned(in: 10)
            + NumberFormat.rate(line.callRate).rightAligned(in: 10) + latency(line.tool.p50) + latency(line.tool.p95)
            + latency(line.tool.p99)
            + style.tint(share.rightAligned(in: 7), (line.errorShare ?? 0) > 0 ? .bad : .plain)
    }

    private func latency(_ seconds: Double?) -> String {
        (seconds.map { NumberFormat.duration(microseconds: $0 * 1e6) } ?? NumberFormat.none).rightAligned(in: 9)
    }
}
