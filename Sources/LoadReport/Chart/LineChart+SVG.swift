extension LineChart {
    /// A chart is drawn once for each width of the page: scaled, its text would be too small.
    enum Size: String, CaseIterable {
        case small, medium, large

        var width: Double {
            switch self {
            case .small: 350
            case .medium: 560
            case .large: 1_040
            }
        }

        var height: Double {
            switch self {
            case .small: 260
            case .medium: 300
            case .large: 380
            }
        }
    }

    /// The chart as an `svg` element. It needs only the page's style sheet.
    func svg(_ size: Size) -> Markup {
        let frame = Frame(size, hasKeys: lines.count > 1)
        let id = "\(self.id)-\(size.rawValue)"
        return """
            <svg class="\(size.rawValue)" viewBox="0 0 \(size.width) \(size.height)" role="img" \
            aria-labelledby="\(id)-title \(id)-summary" xmlns="http://www.w3.org/2000/svg">
            <title id="\(id)-title">\(title)</title>
            <desc id="\(id)-summary">\(summary)</desc>
            \(yAxis(frame))\(xAxis(frame))\(targetRates(frame))\(shading(frame))\(lines.map { path($0, frame) })\
            \(keys(frame))\(errorMarks(frame))</svg>

            """
    }

    /// The area of the chart between its axes, in pixels.
    private struct Frame {
        let left = 64.0
        let top = 32.0
        let right: Double
        let bottom: Double
        let size: Size

        init(_ size: Size, hasKeys: Bool) {
            self.size = size
            right = size.width - (hasKeys ? 30 : 14)
            bottom = size.height - 46
        }

        func x(_ share: Double) -> Double { left + share * (right - left) }
        func y(_ share: Double) -> Double { bottom - share * (bottom - top) }
    }

    private func place(_ point: Point, _ frame: Frame) -> (x: Double, y: Double) {
        (frame.x(x.position(of: point.x)), frame.y(y.position(of: point.y)))
    }
}

// MARK: - Axes

extension LineChart {
    private func yAxis(_ frame: Frame) -> Markup {
        var markup: Markup =
            "<text class=\"axis\" x=\"4\" y=\"14\">\(y.title)</text>\n"
        for tick in y.ticks {
            let height = frame.y(y.position(of: tick.value))
            markup += """
                <line class="grid" x1="\(frame.left)" x2="\(frame.right)" y1="\(height)" y2="\(height)"/>\
                <text class="tick" x="\(frame.left - 8)" y="\(height + 4)" text-anchor="end">\(tick.label)</text>

                """
        }
        return markup
    }

    private func xAxis(_ frame: Frame) -> Markup {
        var markup: Markup = """
            <line class="base" x1="\(frame.left)" x2="\(frame.right)" y1="\(frame.bottom)" y2="\(frame.bottom)"/>
            <text class="axis" x="\((frame.left + frame.right) / 2)" y="\(frame.size.height - 6)" \
            text-anchor="middle">\(x.title)</text>

            """
        var free = -Double.infinity
        for tick in x.ticks {
            let place = frame.x(x.position(of: tick.value))
            markup += """
                <line class="base" x1="\(place)" x2="\(place)" y1="\(frame.bottom)" y2="\(frame.bottom + 5)"/>

                """
            // A label that would overlap the previous one is left out.
            let half = Double(tick.label.count) * 3.8
            guard place - half > free else { continue }
            free = place + half + 4
            markup += """
                <text class="tick" x="\(place)" y="\(frame.bottom + 20)" text-anchor="middle">\(tick.label)</text>

                """
        }
        return markup
    }

    private func targetRates(_ frame: Frame) -> Markup {
        .joined(
            lines.compactMap { line in
                guard let rate = line.targetRate else { return nil }
                let height = frame.y(y.position(of: rate))
                return """
                    <line class="goal run\(line.run)" x1="\(frame.left)" x2="\(frame.right)" y1="\(height)" \
                    y2="\(height)"/>

                    """
            })
    }
}

// MARK: - Lines

extension LineChart {
    private func shading(_ frame: Frame) -> Markup {
        guard isShaded, lines.count == 1, let line = lines.first else { return "" }
        return .joined(
            line.pieces.filter { $0.count > 1 }.map { piece in
                let places = piece.map { place($0, frame) }
                let path = places.map { "L\($0.x) \($0.y)" as Markup }
                let (first, last) = (places.first?.x ?? 0, places.last?.x ?? 0)
                return """
                    <path class="shade run\(line.run)" d="M\(first) \(frame.bottom)\(path)L\(last) \(frame.bottom)Z"/>

                    """
            })
    }

    private func path(_ line: Line, _ frame: Frame) -> Markup {
        var markup: Markup = "<g class=\"run\(line.run)\">\n"
        for piece in line.pieces {
            let places = piece.map { place($0, frame) }
            let path = places.enumerated().map {
                "\($0.offset == 0 ? "M" : "L")\($0.element.x) \($0.element.y)" as Markup
            }
            if piece.count > 1 { markup += "<path class=\"line\" d=\"\(path)\"/>\n" }
            for (point, place) in zip(piece, places) where point.note != nil || piece.count == 1 {
                let isMarked = point.isMarked || piece.count == 1
                markup += """
                    <circle class="\(isMarked ? "mark" : "touch")" cx="\(place.x)" cy="\(place.y)" \
                    r="\(isMarked ? 3.5 : 6.0)"><title>\(point.note ?? "")</title></circle>

                    """
            }
        }
        return markup + "</g>\n"
    }

    /// The key of its run at the end of each line, moved apart where keys would overlap.
    private func keys(_ frame: Frame) -> Markup {
        guard lines.count > 1 else { return "" }
        let ends = lines.compactMap { line -> (line: Line, place: (x: Double, y: Double))? in
            line.pieces.last { !$0.isEmpty }?.last.map { (line, place($0, frame)) }
        }.sorted { $0.place.y < $1.place.y }
        let step = 18.0
        var heights: [Double] = []
        for (index, end) in ends.enumerated() {
            let above = (0..<index).filter { abs(ends[$0].place.x - end.place.x) < step }.map { heights[$0] + step }
            heights.append(max(end.place.y, above.max() ?? 0))
        }
        // Keys moved below the frame are moved back into it, and move those above them.
        var floor = frame.bottom
        for index in heights.indices.reversed() where heights[index] > floor {
            heights[index] = floor
            floor -= step
        }
        return .joined(
            zip(ends, heights).map { end, height in
                """
                <g class="run\(end.line.run)"><circle class="badge" cx="\(end.place.x + 15)" cy="\(height)" r="8.5"/>\
                <text class="key" x="\(end.place.x + 15)" y="\(height + 4)" text-anchor="middle">\
                \(end.line.key)</text></g>

                """
            })
    }

    private func errorMarks(_ frame: Frame) -> Markup {
        .joined(
            alarms.map { alarm in
                let place = frame.x(x.position(of: alarm.x))
                return """
                    <path class="alarm" d="M\(place) \(frame.bottom - 9)L\(place + 5) \(frame.bottom)\
                    L\(place - 5) \(frame.bottom)Z"><title>\(alarm.note)</title></path>

                    """
            })
    }
}
