import MCP

/// Event streams: where events end and what they say does not depend on how the bytes come.
enum EventStreamCheck {
    static func stream(_ input: [UInt8]) throws(Finding) {
        let (size, _, bytes) = Pieces.cut(input)
        let whole = tracker(bytes, size: max(1, bytes.count))
        for size in [1, size] {
            let other = tracker(bytes, size: size)
            try requireEqual(other.isAtBoundary, whole.isAtBoundary, "the boundary in pieces of \(size)")
            try requireEqual(other.takesError, whole.takesError, "whether it takes an error, in pieces of \(size)")
        }
        try boundary(whole, bytes)
        try messages(bytes)
        try endpoint(bytes)
    }

    private static func tracker(_ bytes: [UInt8], size: Int) -> EventStream.BoundaryTracker {
        var tracker = EventStream.BoundaryTracker()
        for piece in Pieces.of(bytes, size: size) {
            tracker.note(piece.span)
            tracker.watch(piece.span)
        }
        return tracker
    }

    /// At a boundary a comment changes no event.
    private static func boundary(_ tracker: EventStream.BoundaryTracker, _ bytes: [UInt8]) throws(Finding) {
        guard tracker.isAtBoundary else { return }
        let next = Array("data: next\n\n".utf8)
        try requireEqual(
            events(bytes + Array(":\n\n".utf8) + next), events(bytes + next),
            "a comment at a boundary changes the events")
    }

    /// Lines without their ends, and what stands behind the last end.
    private static func lines(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        var line: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case 10 where index > 0 && bytes[index - 1] == 13: break
            case 10, 13:
                lines.append(latin1(line))
                line = []
            default: line.append(byte)
            }
        }
        return lines
    }

    /// The data of each event, by the HTML standard's own steps, but that a line "data" without a colon does not count.
    private static func events(_ bytes: [UInt8]) -> [String] {
        var events: [String] = []
        var data: [String] = []
        for line in lines(bytes) {
            if line.isEmpty {
                if !data.isEmpty { events.append(data.joined(separator: "\n")) }
                data = []
            } else if line.hasPrefix("data:") {
                let value = line.dropFirst(5)
                data.append(String(value.hasPrefix(" ") ? value.dropFirst() : value))
            }
        }
        return events
    }

    private static func messages(_ bytes: [UInt8]) throws(Finding) {
        var found: [String] = []
        EventStream.forEachMessage(in: bytes.span) { data in
            found.append(latin1(data.indices.map { data[$0] }))
        }
        try requireEqual(found, events(bytes), "the data of the events")
    }

    private static func endpoint(_ bytes: [UInt8]) throws(Finding) {
        let whole = EndpointEventScanner.scan(bytes.span)
        for count in 0...bytes.count {
            let part = EndpointEventScanner.scan(Array(bytes[..<count]).span)
            if part == .needsMore { continue }
            try requireEqual(part, whole, "the endpoint is read in another way after \(count) bytes")
        }
        if case .endpoint(let data) = whole {
            let line = bytes[data]
            try require(!line.isEmpty && !line.contains(10) && !line.contains(13), "an endpoint over two lines")
        }
    }
}
