import ASCII

/// Tells what came of a call while the response passes by: looks for the answer's `result` or `error` in a body that
/// comes in pieces of any size.
///
/// The state between two pieces is this value; no byte of the body is kept, and nothing is allocated. Work is linear in
/// the bytes and does not depend on how deep the message nests. Once the answer is decided, nothing more is looked at.
///
/// The grammar is checked only as far as it is needed to find the members that count: `result` and `error` of the message,
/// `isError` and `resultType` of a result, `code` of an error. Names that are written with escapes are not recognised. A
/// message with a `method` is no answer. Of one that comes in one piece, the end is not looked for: what breaks off behind a
/// brace may count as a result.
package struct ReplyScanner: BitwiseCopyable, Sendable {
    /// What a body says.
    package enum Verdict: Equatable, Sendable {
        /// No answer, or none that is complete.
        case none
        /// What the body says cannot be told: it is a batch (2025-03-26) or no JSON object.
        case unknown
        /// A result. `isError` is that of a tool's result (MCP, "Tool execution errors"); `needsInput` says that it is an
        /// `input_required`, after which the client asks again (2026-07-28).
        case result(isError: Bool, needsInput: Bool)
        /// An error, with its code; the nearest number that fits if it does not, and 0 if there is none.
        case error(code: Int32)
    }

    /// How messages stand in a body.
    package enum Format: Sendable {
        /// One message (`application/json`).
        case json
        /// One message in the data of each event (`text/event-stream`). The answer is the first message with a result or
        /// an error; notifications and requests of the server come before it.
        case eventStream
    }

    /// What is being read of a message.
    enum Mode: UInt8, BitwiseCopyable {
        /// White space before the message.
        case message
        case nameOrEnd, colon, value, commaOrEnd
        /// Within a name, or within the value of `resultType`.
        case name, resultType
        /// Within any other string.
        case string
        case code
        /// Within an object or array of which nothing counts.
        case nested
        /// Nothing more of this message counts.
        case ended
    }

    /// Where in a line of an event stream the scanner is.
    enum Line: UInt8, BitwiseCopyable {
        /// There are no lines: the body is a message.
        case none
        /// At the start of the stream, where a byte order mark may stand.
        case streamStart
        case start
        /// At the start of a line, if no line feed comes that belongs to the line end before it.
        case afterReturn
        /// Behind so many characters of `data`.
        case name1, name2, name3, name4
        /// Behind `data:`.
        case colon
        case content
        /// In a line, or the rest of one, that does not count.
        case ignored
    }

    /// The object whose members are read.
    enum Scope: UInt8, BitwiseCopyable { case message, result, error }

    /// The member whose value comes next.
    enum Member: UInt8, BitwiseCopyable { case other, method, result, error, isError, resultType, code }

    /// What has been found.
    struct Findings: OptionSet, BitwiseCopyable {
        var rawValue: UInt8
        static var decided: Findings { Findings(rawValue: 1) }
        static var result: Findings { Findings(rawValue: 2) }
        static var error: Findings { Findings(rawValue: 4) }
        static var isError: Findings { Findings(rawValue: 8) }
        static var needsInput: Findings { Findings(rawValue: 16) }
        static var unknown: Findings { Findings(rawValue: 32) }
        /// `result` is null: it counts if there is no error.
        static var nullResult: Findings { Findings(rawValue: 64) }
    }

    /// A name or text that is under way.
    var word = WordPair()
    /// Objects and arrays that are open in mode `nested`, above the object whose members are read.
    var depth: UInt32 = 0
    /// The error's code as far as it was read.
    var code: Int32 = 0
    var mode = Mode.message
    var scope = Scope.message
    var member = Member.other
    var line: Line
    var found: Findings = []
    /// The last byte was a backslash in a string.
    var isEscaped = false
    var isNegative = false

    /// At the beginning of a body.
    package init(_ format: Format) {
        line = format == .json ? .none : .streamStart
    }

    /// Nothing that follows is looked at.
    package var isDecided: Bool { found.contains(.decided) }

    /// What the bytes so far say.
    package var verdict: Verdict {
        if found.contains(.error) { return .error(code: code) }
        if found.contains(.result) {
            return .result(isError: found.contains(.isError), needsInput: found.contains(.needsInput))
        }
        return found.contains(.unknown) ? .unknown : .none
    }

    /// Looks at the bytes that come next. `isLast` says that the body ends with them, if that is known; it makes short
    /// JSON bodies cheaper, and need not be said.
    package mutating func scan(_ piece: Span<UInt8>, isLast: Bool = false) {
        guard !isDecided else { return }
        if line == .none {
            _ = scanMessage(piece, from: 0, isLast: isLast)
        } else {
            scanLines(piece)
        }
    }
}

/// The first 16 bytes of a name, each 0 where it is shorter, compared with names of protocols as numbers.
struct WordPair: BitwiseCopyable, Equatable {
    /// The first byte is the lowest.
    var low: UInt64 = 0
    var high: UInt64 = 0
    /// Bytes that are there; more than 16: it equals no name.
    var count: UInt8 = 0

    /// Appends a byte.
    mutating func append(_ byte: UInt8) {
        let shift = UInt64(count & 7) &* 8
        if count < 8 {
            low |= UInt64(byte) &<< shift
        } else if count < 16 {
            high |= UInt64(byte) &<< shift
        }
        count = min(count &+ 1, 17)
    }

    /// Whether these are the bytes of a name of at most 8 bytes, `text` being filled up with zeros.
    func equals(_ text: StaticString, count: UInt8) -> Bool {
        self.count == count && low == UInt64(ascii: text)
    }
}
