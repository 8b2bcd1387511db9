/// Steps through JSON text (RFC 8259) without building anything: a position, and one bit for every open bracket.
struct JSONScanner {
    /// Why a scan ended early: the text stops where more must follow, or it is not JSON.
    enum Stop: Error { case truncated, malformed }

    enum ValueKind { case string, number, boolean, null, container }

    static var maximumDepth: Int { 512 }

    private(set) var position = 0
    private var depth = 0
    /// One bit a level: set for an object.
    private var objects = InlineArray<8, UInt64>(repeating: 0)

    func peek(_ bytes: Span<UInt8>) -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
            default: return
            }
        }
    }

    /// Steps over this byte if it comes next.
    mutating func take(_ byte: UInt8, in bytes: Span<UInt8>) -> Bool {
        guard peek(bytes) == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8, in bytes: Span<UInt8>) throws(Stop) {
        guard let next = peek(bytes) else { throw .truncated }
        guard next == byte else { throw .malformed }
        position += 1
    }

    // MARK: Values

    /// Steps over one value, whatever it holds.
    mutating func value(_ bytes: Span<UInt8>) throws(Stop) -> ValueKind {
        let floor = depth
        let kind = try open(bytes)
        while depth > floor { try step(bytes) }
        return kind
    }

    /// Steps over a value without contents, or into the first scalar or empty container of one with: whatever opens on
    /// the way stays open, for `value` to finish. A loop rather than a recursion, as the peer chooses the depth.
    private mutating func open(_ bytes: Span<UInt8>) throws(Stop) -> ValueKind {
        guard let first = peek(bytes) else { throw .truncated }
        guard Self.isOpener(first) else { return try scalar(bytes) }
        var next = first
        while Self.isOpener(next) {
            try push(isObject: next == UInt8(ascii: "{"))
            position += 1
            skipSpace(bytes)
            guard let inner = peek(bytes) else { throw .truncated }
            if inner == closer {
                position += 1
                depth -= 1
                return .container
            }
            try name(bytes)
            guard let value = peek(bytes) else { throw .truncated }
            next = value
        }
        _ = try scalar(bytes)
        return .container
    }

    /// Behind a value inside a container: a comma and the next member, or the end of the container.
    private mutating func step(_ bytes: Span<UInt8>) throws(Stop) {
        skipSpace(bytes)
        guard let next = peek(bytes) else { throw .truncated }
        position += 1
        if next == closer {
            depth -= 1
        } else if next == UInt8(ascii: ",") {
            skipSpace(bytes)
            try name(bytes)
            _ = try open(bytes)
        } else {
            throw .malformed
        }
    }

    /// Steps over a member's name and colon, if the innermost container has names.
    private mutating func name(_ bytes: Span<UInt8>) throws(Stop) {
        guard isInObject else { return }
        _ = try string(bytes)
        skipSpace(bytes)
        try expect(UInt8(ascii: ":"), in: bytes)
        skipSpace(bytes)
    }

    private mutating func scalar(_ bytes: Span<UInt8>) throws(Stop) -> ValueKind {
        switch peek(bytes) {
        case UInt8(ascii: "\""):
            _ = try string(bytes)
            return .string
        case UInt8(ascii: "t"):
            try literal("true", bytes)
            return .boolean
        case UInt8(ascii: "f"):
            try literal("false", bytes)
            return .boolean
        case UInt8(ascii: "n"):
            try literal("null", bytes)
            return .null
        default:
            try number(bytes)
            return .number
        }
    }

    private static func isOpener(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
    }

    // MARK: Brackets

    private var isInObject: Bool {
        objects[(depth - 1) >> 6] & (1 << UInt64((depth - 1) & 63)) != 0
    }

    private var closer: UInt8 { isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }

    private mutating func push(isObject: Bool) throws(Stop) {
        guard depth < Self.maximumDepth else { throw .malformed }
        let bit: UInt64 = 1 << UInt64(depth & 63)
        if isObject { objects[depth >> 6] |= bit } else { objects[depth >> 6] &= ~bit }
        depth += 1
    }

    // MARK: Scalars

    /// Steps over a string and returns the range between its quotes.
    mutating func string(_ bytes: Span<UInt8>) throws(Stop) -> Range<Int> {
        try expect(UInt8(ascii: "\""), in: bytes)
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            if byte == UInt8(ascii: "\"") { return start..<(position - 1) }
            if byte == UInt8(ascii: "\\") { try escape(bytes) }
            if byte < 0x20 { throw .malformed }
        }
        throw .truncated
    }

    private mutating func escape(_ bytes: Span<UInt8>) throws(Stop) {
        guard let kind = peek(bytes) else { throw .truncated }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard let digit = peek(bytes) else { throw .truncated }
                guard Self.hexadecimal(digit) != nil else { throw .malformed }
                position += 1
            }
        default: throw .malformed
        }
    }

    private mutating func literal(_ text: String, _ bytes: Span<UInt8>) throws(Stop) {
        for byte in text.utf8 { try expect(byte, in: bytes) }
    }

    /// Steps over a number. At the end of the text it is truncated, as another digit may follow.
    private mutating func number(_ bytes: Span<UInt8>) throws(Stop) {
        _ = take(UInt8(ascii: "-"), in: bytes)
        if !take(UInt8(ascii: "0"), in: bytes) { try digits(bytes) }
        if take(UInt8(ascii: "."), in: bytes) { try digits(bytes) }
        if take(UInt8(ascii: "e"), in: bytes) || take(UInt8(ascii: "E"), in: bytes) {
            if !take(UInt8(ascii: "+"), in: bytes) { _ = take(UInt8(ascii: "-"), in: bytes) }
            try digits(bytes)
        }
        if position == bytes.count { throw .truncated }
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(Stop) {
        let start = position
        while let byte = peek(bytes), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position &+= 1 }
        if position == start { throw position == bytes.count ? .truncated : .malformed }
    }

    // MARK: Comparing

    /// Whether the string between these quotes says `text` (ASCII), escapes undone: `"\u0069d"` is the key `id`.
    static func string(_ bytes: Span<UInt8>, _ content: Range<Int>, equals text: String) -> Bool {
        var position = content.lowerBound
        for expected in text.utf8 {
            guard position < content.upperBound else { return false }
            guard let byte = unescaped(bytes, &position, content.upperBound), byte == expected else { return false }
        }
        return position == content.upperBound
    }

    /// The next character if it is ASCII; short escapes stand for nothing that a name of ours contains.
    private static func unescaped(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> UInt8? {
        let byte = bytes[position]
        position += 1
        guard byte == UInt8(ascii: "\\") else { return byte }
        guard end - position >= 5, bytes[position] == UInt8(ascii: "u") else { return nil }
        var value = 0
        for index in (position + 1)...(position + 4) {
            guard let digit = hexadecimal(bytes[index]) else { return nil }
            value = value << 4 | digit
        }
        position += 5
        return UInt8(exactly: value)
    }

    private static func hexadecimal(_ digit: UInt8) -> Int? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(digit) - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(digit) - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(digit) - 55
        default: nil
        }
    }
}
