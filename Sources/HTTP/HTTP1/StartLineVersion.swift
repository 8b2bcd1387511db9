import ASCII

/// The `HTTP/1.x` of a start line (RFC 9112 §2.3).
enum StartLineVersion: Equatable {
    /// `HTTP/1.0` or `HTTP/1.1`, with the minor version. A higher one counts as 1 (RFC 9110 §2.5).
    case found(UInt8)
    /// Fewer than eight bytes, which may begin a version.
    case incomplete
    /// Another major version of HTTP, as in HTTP/2's preface.
    case unsupported
    /// No version.
    case malformed

    @inline(__always)
    init(_ bytes: Span<UInt8>, at offset: Int) {
        guard bytes.count &- offset >= 8 else {
            self = Self.incompleteOrMalformed(bytes, at: offset)
            return
        }
        let word = bytes.word(at: offset)
        if word == UInt64(ascii: "HTTP/1.1") {
            self = .found(1)
        } else if word == UInt64(ascii: "HTTP/1.0") {
            self = .found(0)
        } else {
            self = Self.unsupportedOrMalformed(bytes, at: offset)
        }
    }

    /// The outcome to report where no supported version was found.
    var outcome: HeadOutcome {
        switch self {
        case .found, .incomplete: .incomplete
        case .unsupported: .invalid(.versionUnsupported)
        case .malformed: .invalid(.malformed)
        }
    }

    @inline(never)
    private static func incompleteOrMalformed(_ bytes: Span<UInt8>, at offset: Int) -> StartLineVersion {
        for index in offset..<bytes.count where !hasForm(bytes[index], at: index &- offset) { return .malformed }
        return .incomplete
    }

    @inline(never)
    private static func unsupportedOrMalformed(_ bytes: Span<UInt8>, at offset: Int) -> StartLineVersion {
        for index in 0..<8 where !hasForm(bytes[offset &+ index], at: index) { return .malformed }
        return bytes[offset &+ 5] == UInt8(ascii: "1") ? .found(1) : .unsupported
    }

    /// Whether `byte` may stand at `index` of a version: `HTTP/` DIGIT `.` DIGIT.
    private static func hasForm(_ byte: UInt8, at index: Int) -> Bool {
        switch index {
        case 5, 7: byte.isDigit
        default: UInt64(byte) == UInt64(ascii: "HTTP/0.0") >> UInt64(8 * index) & 0xFF
        }
    }
}
