/// Swift source without its prose: comments and the contents of string literals become spaces, lines stay lines.
/// Code within an interpolation is kept.
struct SwiftText {
    private let bytes: [UInt8]
    private var result: [UInt8] = []
    private var position = 0

    static func code(of text: String) -> String {
        var scanner = SwiftText(bytes: Array(text.utf8))
        scanner.result.reserveCapacity(scanner.bytes.count)
        while scanner.position < scanner.bytes.count {
            scanner.scanCode()
            // A closing parenthesis without an opening one.
            if scanner.position < scanner.bytes.count { scanner.keep() }
        }
        return String(decoding: scanner.result, as: UTF8.self)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func starts(with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    private mutating func keep() {
        result.append(bytes[position])
        position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            result.append(bytes[position] == UInt8(ascii: "\n") ? UInt8(ascii: "\n") : UInt8(ascii: " "))
            position += 1
        }
    }

    /// Until the parenthesis that closes what an interpolation opened, or the end.
    private mutating func scanCode() {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "/") where starts(with: "//"):
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank() }
            case UInt8(ascii: "/") where starts(with: "/*"):
                while position < bytes.count, !starts(with: "*/") { blank() }
                blank(2)
            case UInt8(ascii: "\""), UInt8(ascii: "#"):
                scanLiteral()
            case UInt8(ascii: "("):
                depth += 1
                keep()
            case UInt8(ascii: ")"):
                guard depth > 0 else { return }
                depth -= 1
                keep()
            default:
                keep()
            }
        }
    }

    /// A string literal with as many `#` as there are; a `#` of something else is kept.
    private mutating func scanLiteral() {
        var hashes = 0
        while position + hashes < bytes.count, bytes[position + hashes] == UInt8(ascii: "#") { hashes += 1 }
        guard position + hashes < bytes.count, bytes[position + hashes] == UInt8(ascii: "\"") else {
            for _ in 0..<max(1, hashes) { keep() }
            return
        }
        blank(hashes)
        let quotes = starts(with: "\"\"\"") ? 3 : 1
        blank(quotes)
        while position < bytes.count {
            if isAt(UInt8(ascii: "\""), quotes, then: hashes) { return blank(quotes + hashes) }
            if quotes == 1, bytes[position] == UInt8(ascii: "\n") { return }
            guard isAt(UInt8(ascii: "\\"), 1, then: hashes) else {
                blank()
                continue
            }
            blank(1 + hashes)
            guard position < bytes.count, bytes[position] == UInt8(ascii: "(") else {
                blank()
                continue
            }
            blank()
            scanCode()
            blank()
        }
    }

    private func isAt(_ byte: UInt8, _ count: Int, then hashes: Int) -> Bool {
        guard position + count + hashes <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == byte }
            && (0..<hashes).allSatisfy { bytes[position + count + $0] == UInt8(ascii: "#") }
    }
}
