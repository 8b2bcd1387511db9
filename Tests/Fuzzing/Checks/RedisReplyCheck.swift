import Redis

/// Replies of Redis: the same ones in any pieces, each within its bytes.
enum RedisReplyCheck {
    static func replies(_ input: [UInt8]) throws(Finding) {
        let (size, _, bytes) = Pieces.cut(input)
        var limits = ReplyLimits()
        limits.bytes = 400
        limits.line = 60
        limits.elements = 40
        let whole = try steps(bytes, size: max(1, bytes.count), limits)
        for size in [1, size] { try requireEqual(try steps(bytes, size: size, limits), whole, "in pieces of \(size)") }
    }

    private static func steps(_ bytes: [UInt8], size: Int, _ limits: ReplyLimits) throws(Finding) -> [String] {
        var reader = ReplyReader(limits)
        var kept: [UInt8] = []
        var found: [String] = []
        for piece in Pieces.of(bytes, size: size) {
            kept += piece
            reading: while true {
                let step = reader.next(kept.span)
                let end: Int
                switch step {
                case .incomplete: break reading
                case .invalid(let fault):
                    found.append("invalid")
                    _ = fault
                    return found
                case .push(let offset): end = offset
                case .reply(let reply, let offset):
                    end = offset
                    try check(reply, kept)
                }
                try require(end > 0 && end <= kept.count && end <= limits.bytes, "ends at \(end) of \(kept.count)")
                found.append("\(step) \(latin1(kept[..<end]).debugDescription)")
                kept.removeFirst(end)
                if kept.isEmpty { break }
            }
        }
        return found
    }

    private static func check(_ reply: RedisReply, _ bytes: [UInt8]) throws(Finding) {
        switch reply {
        case .status(let range), .bytes(let range), .number(let range), .error(_, let range):
            try require(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a range outside of the bytes")
        case .integer, .boolean, .null: break
        case .elements(let count): try require(count >= 0 && count <= 80, "\(count) elements")
        }
    }
}
