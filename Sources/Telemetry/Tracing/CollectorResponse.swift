import ASCII

/// What came of sending spans to a collector (OTLP, "OTLP/HTTP response").
enum CollectorResponse: Equatable {
    /// The collector has them.
    case accepted
    /// It may take them later: it is overloaded or away. `after`: the seconds that it asks for; nil: it does not say.
    case unavailable(String, after: Int?)
    /// It will never take them.
    case rejected(String)

    /// The bytes of a head are bounded: a collector sends a few hundred.
    static var maximumHead: Int { 16_384 }

    /// Reads what has come of a response; nil if its head is not complete.
    init?(_ bytes: [UInt8]) {
        guard let end = Self.end(of: bytes) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            self = .rejected("what answers is no HTTP server")
            return
        }
        switch status {
        case 200...299: self = .accepted
        // The statuses that OTLP calls retryable.
        case 429, 502, 503, 504: self = .unavailable("it answers \(status)", after: Self.retryAfter(lines))
        default: self = .rejected("it answers \(status)")
        }
    }

    private static func end(of bytes: [UInt8]) -> Int? {
        let span = bytes.span
        guard bytes.count >= 4 else { return nil }
        return (0...bytes.count - 4).first { span.has("\r\n\r\n", at: $0) }
    }

    /// `Retry-After` in seconds (RFC 9110 section 10.2.3); a date counts as not said.
    private static func retryAfter(_ lines: [Substring]) -> Int? {
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "retry-after" else { continue }
            let digits = parts[1].filter { $0 != " " }
            return digits.count <= 6 ? Int(digits).flatMap { $0 >= 0 ? $0 : nil } : nil
        }
        return nil
    }
}
