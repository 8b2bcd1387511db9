import Load

/// The picture of a running load: a moment in, lines of text out.
package enum LiveView {
    /// A few lines, each ended by a newline and none wider than the style allows, to be drawn over the last picture.
    package static func picture(_ moment: LiveMoment, style: TerminalStyle) -> String {
        var lines = [title(moment, style), progress(moment, style)]
        lines += flow(facts(moment), style)
        lines.append(curve(moment, style))
        if let problem = moment.lastProblem {
            lines.append(style.tint("last: \(problem.plain)".cut(to: style.width), .bad))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same in one line, without its newline: for output that cannot be redrawn.
    package static func line(_ moment: LiveMoment) -> String {
        let plan = moment.plan
        let name = moment.total > 1 ? "\(plan.name.plain) (\(moment.number)/\(moment.total))" : plan.name.plain
        var words = [name, "\(phase(moment)) \(Figure.clock(seconds: moment.elapsed))"]
        if moment.phase != .opening {
            words.append("\(Figure.rate(moment.perSecond)) \(plan.unit.plain)/s")
            words.append("p50 \(duration(moment.p50))")
            words.append("p99 \(duration(moment.p99))")
        }
        words.append("\(Figure.count(moment.wrong)) wrong")
        words.append("\(Figure.count(moment.failed)) failed")
        return words.joined(separator: "  ")
    }
}

// MARK: - Lines

extension LiveView {
    /// Text with its tone; a line is made of several.
    private typealias Piece = (text: String, tone: Tone)

    private static func title(_ moment: LiveMoment, _ style: TerminalStyle) -> String {
        let plan = moment.plan
        let place = moment.total > 1 ? "  \(moment.number) of \(moment.total)" : ""
        let name = plan.name.plain.cut(to: max(4, style.width - place.count))
        let about = "  \(plan.transport), \(plan.loadText), \(plan.rateText)  \(plan.url)".plain
        let room = style.width - name.count - place.count
        return style.tint(name, .strong) + style.tint(about.cut(to: room), .quiet) + style.tint(place, .quiet)
    }

    private static func progress(_ moment: LiveMoment, _ style: TerminalStyle) -> String {
        let isBad = moment.wrong > 0
        guard let length = moment.length, length > 0 else {
            let text = "\(phase(moment)), \(Figure.clock(seconds: moment.elapsed))"
            return style.tint(text.cut(to: style.width), .quiet)
        }
        let share = moment.elapsed / length
        let left = Figure.clock(seconds: max(0, length - moment.elapsed).rounded(.up))
        let percent = Figure.percent(min(max(share, 0), 1), decimals: 0).rightAligned(in: 5)
        let words = " \(percent)  \(Figure.clock(seconds: moment.elapsed)) + \(left) left  \(phase(moment))"
        let bar = Bars.progress(share, width: max(0, min(60, style.width - words.count)), blocks: style.blocks)
        return style.tint(bar.done, isBad ? .bad : .good) + style.tint(bar.left, .quiet) + words.cut(to: style.width)
    }

    /// Padded, so that they do not dance while digits come and go.
    private static func facts(_ moment: LiveMoment) -> [Piece] {
        let unit = moment.plan.unit.plain
        return [
            (Figure.rate(moment.perSecond).rightAligned(in: 9) + " \(unit)/s", .strong),
            ("p50 " + duration(moment.p50).rightAligned(in: 7), .plain),
            ("p99 " + duration(moment.p99).rightAligned(in: 7), .plain),
            ("\(Figure.count(moment.wrong)) wrong", moment.wrong > 0 ? .bad : .good),
            ("\(Figure.count(moment.failed)) failed", moment.failed > 0 ? .bad : .good),
            ("\(Figure.count(moment.completed)) \(unit)", .quiet),
        ]
    }

    private static func curve(_ moment: LiveMoment, _ style: TerminalStyle) -> String {
        let top = moment.history.suffix(style.width).max() ?? 0
        let label = top > 0 ? "  top \(Figure.rate(top))/s" : ""
        let room = max(0, min(72, style.width - label.count))
        return Bars.sparkline(moment.history, width: room, blocks: style.blocks) + style.tint(label, .quiet)
    }

    /// The pieces in as few lines as the width allows.
    private static func flow(_ pieces: [Piece], _ style: TerminalStyle) -> [String] {
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
        microseconds.map { Figure.duration(microseconds: $0) } ?? Figure.none
    }

    private static func phase(_ moment: LiveMoment) -> String {
        switch moment.phase {
        case .opening: "opening"
        case .warmingUp: "warming up"
        case .measuring: "measuring"
        case .ending: "ending"
        }
    }
}
