import JSON

/// JSON texts: taken or refused as a simple reader does it, in any pieces.
enum JSONCheck {
    private struct Reading: Equatable {
        var tokens: [String] = []
        var ending = "whole"
    }

    static func text(_ input: [UInt8]) throws(Finding) {
        let (size, _, bytes) = Pieces.cut(input)
        let whole = scan(bytes, size: max(1, bytes.count))
        for size in [1, size] { try requireEqual(scan(bytes, size: size), whole, "in pieces of \(size)") }

        let naive = NaiveJSON.read(bytes, depth: JSONScanner.maximumDepth)
        try require((whole.ending == "whole") == (naive != nil), "\(whole.ending), but a simple reader says otherwise")
        var reader = JSONReader()
        let value = reader.value(bytes.span)
        let isWhole = value != nil && reader.isAtEnd(bytes.span)
        try require(isWhole == (naive != nil), "the reader differs from the scanner")
        if let end = bytes.span.valueEnd(from: bytes.span.spaceEnd(from: 0)) {
            try require(value?.upperBound == end, "a value that ends at \(end), or at \(value?.upperBound ?? -1)")
        }
        try canonical(bytes, isJSON: naive != nil)
    }

    private static func scan(_ bytes: [UInt8], size: Int) -> Reading {
        var scanner = JSONScanner()
        var reading = Reading()
        var token: (kind: JSONToken.Kind, text: [UInt8])?
        for piece in Pieces.of(bytes, size: size) {
            scanner.beginPiece()
            do throws(JSONScanner.Malformed) {
                while let part = try scanner.next(in: piece.span) {
                    token = (part.kind, (token?.text ?? []) + piece[part.range])
                    if part.isComplete { take(&token, &reading) }
                }
            } catch {
                reading.ending = "malformed"
                return reading
            }
        }
        if scanner.isComplete { take(&token, &reading) } else { reading.ending = "unfinished" }
        return reading
    }

    private static func take(_ token: inout (kind: JSONToken.Kind, text: [UInt8])?, _ reading: inout Reading) {
        if let token { reading.tokens.append("\(token.kind):" + latin1(token.text)) }
        token = nil
    }

    /// The one text of a value is JSON, and is its own one text.
    private static func canonical(_ bytes: [UInt8], isJSON: Bool) throws(Finding) {
        var once = CanonicalJSON()
        guard once.append(bytes.span) == .appended else { return }
        try require(isJSON, "what is no JSON has a canonical text")
        var twice = CanonicalJSON()
        try require(twice.append(once.text.span) == .appended, "a canonical text that is refused: \(latin1(once.text))")
        try requireEqual(latin1(twice.text), latin1(once.text), "the canonical text of a canonical text")
    }
}
