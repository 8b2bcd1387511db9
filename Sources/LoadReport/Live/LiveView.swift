import Load

/// Formats the status of a run as text.
package enum LiveView {
    /// The status in a few lines, each with a newline and none wider than the style's width.
    package static func text(_ status: LiveStatus, style: TerminalStyle) -> String {
        var lines = [title(status, style), progress(status, style)]
        lines += wrap(counters(status), style)
        lines.append(sparkline(status, style))
        if let problem = status.lastProblem {
            lines.append(style.tint("last: \(problem.sanitized)".cut(to: style.width), .bad))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The status in one line without a newline, for output that cannot be redrawn.
    package static func line(_ status: LiveStatus) -> String {
        let plan = status.plan
        let name = status.total > 1 ? "\(plan.name.sanitized) (\(status.number)/\(status.total))" : plan.name.sanitized
        var words = [name, "\(phase(status)) \(NumberFormat.clock(seconds: status.elapsed))"]
        if status.phase != .opening {
            words.append("\(NumberFormat.rate(status.perSecond)) \(plan.unit.sanitized)/s")
            words.append("p50 \(duration(status.p50))")
            words.append("p99 \(duration(status.p99))")
        }
        words.append("\(NumberFormat.count(status.wrong)) wrong")
        words.append("\(NumberFormat.count(status.failed)) failed")
        return words.joined(separator: "  ")
    }
}

// MARK: - Lines

extension LiveView {
    /// A part of a line with its tone.
    private typealias Piece = (text: String, tone: Tone)

    private static func title(_ status: LiveStatus, _ style: TerminalStyle) -> String {
        let plan = status.plan
        let place = status.total > 1 ? "  \(status.number) of \(status.total)" : ""
        let name = plan.name.sanitized.cut(to: max(4, style.width - place.count))
        let about = "  \(plan.transport), \(plan.loadText), \(plan.rateText)  \(plan.url)".sanitized
        let width = style.width - name.count - place.count
        return style.tint(name, .strong) + style.tint(about.cut(to: width), .quiet) + style.tint(place, .quiet)
    }

    private static func progress(_ status: LiveStatus, _ style: TerminalStyle) -> String {
        let isBad = status.wrong > 0
        guard let length = status.length, length > 0 else {
            let text = "\(phase(status)), \(NumberFormat.clock(seconds: status.elapsed))"
            return style.tint(text.cut(to: style.width), .quiet)
        }
        let share = status.elapsed / length
        let left = NumberFormat.clock(seconds: max(0, length - status.elapsed).rounded(.up))
        let percent = NumberFormat.percent(min(max(share, 0), 1), decimals: 0).rightAligned(in: 5)
        let words = " \(percent)  \(NumberFormat.clock(seconds: status.elapsed)) + \(left) left  \(phase(status))"
        let bar = Bars.progress(share, width: max(0, min(60, style.width - words.count)), blocks: style.blocks)
        return style.tint(bar.done, isBad ? .bad : .good) + style.tint(bar.left, .quiet) + words.cut(to: style.width)
    }

    /// Rates and latencies are padded, so that the text does not move when their digits change.
    private static func counters(_ status: LiveStatus) -> [Piece] {
        let unit = status.plan.unit.sanitized
        return [
            (NumberFormat.rate(status.perSecond).rightAligned(in: 9) + " \(unit)/s", .strong),
            ("p50 " + duration(status.p50).rightAligned(in: 7), .plain),
            ("p99 " + duration(status.p99).rightAligned(in: 7), .plain),
            ("\(NumberFormat.count(status.wrong)) wrong", status.wrong > 0 ? .bad : .good),
            ("\(NumberFormat.count(status.failed)) failed", status.failed > 0 ? .bad : .good),
            ("\(NumberFormat.count(status.completed)) \(unit)", .quiet),
        ]
    }

    private static func sparkline(_ status: LiveStatus, _ style: TerminalStyle) -> String {
        let top = status.history.suffix(style.width).max() ?? 0
        let label = top > 0 ? "  top \(NumberFormat.rate(top))/s" : ""
        let width = max(0, min(72, style.width - label.count))
        return Bars.sparkline(status.history, width: width, blocks: style.blocks) + style.tint(label, .quiet)
    }

    /// Puts the pieces into as few lines as the width allows.
    private static func wrap(_ pieces: [Piece], _ style: TerminalStyle) -> [String] {
        var lines: [[Piece]] = [[]]
        var used = 0
        for piece in pieces {
            let gap = used == 0 ? 0 : 3
            if used > 0, used + gap + piece.text.count > style.width {
                lines.append([])
                used = 0
            }
            used += (used == 0 ? 0 : 3) + piece.text.count
            lines[lines.count - 1].append(piece)
        }
        return lines.map { line in
            line.map { style.tint($0.text.cut(to: style.width), $0.tone) }.joined(separator: "   ")
        }
    }

    private static func duration(_ microseconds: Double?) -> String {
        microseconds.map { NumberFormat.duration(microseconds: $0) } ?? NumberFormat.none
    }

    private static func phase(_ status: LiveStatus) -> String {
        switch status.phase {
        case .opening: "opening"
        case .warmingUp: "warming up"
        case .measuring: "measuring"
        case .ending: "ending"
        }
    }
}
