/// What a server says when it refuses a call, for people.
enum ServerWords {
    /// Bytes of a refusal's body that are kept.
    static var bodyLimit: Int { 4_096 }
    private static var excerptLimit: Int { 200 }

    /// The body of a response with an error status: the message of its JSON-RPC error, or else its text.
    static func ofBody(_ body: Span<UInt8>) -> String {
        let facts = AnswerFacts(body)
        if facts.kind == .answer, facts.isError { return ofError(facts, body) }
        return body.excerpt(excerptLimit)
    }

    /// The message of a JSON-RPC error, or the text of a tool's result with `isError`.
    static func ofError(_ facts: AnswerFacts, _ text: Span<UInt8>) -> String {
        if let range = facts.errorMessage ?? facts.text, !range.isEmpty {
            return unescaped(text.extracting(range).excerpt(excerptLimit))
        }
        return text.extracting(facts.errorRange).excerpt(excerptLimit)
    }

    /// Whether a refusal is about the session: servers answer 400 as well as 404 for one that they do not know.
    static func areAboutSession(_ words: String) -> Bool {
        let words = words.lowercased()
        return words.contains("session") || words.contains("initializ")
    }

    /// The content of a JSON string with its escapes decoded; line ends become spaces.
    private static func unescaped(_ content: String) -> String {
        var text = ""
        var rest = content[...]
        while let next = rest.popFirst() {
            guard next == "\\", let escape = rest.popFirst() else {
                text.append(next)
                continue
            }
            switch escape {
            case "n", "r", "t": text.append(" ")
            case "u":
                let scalar = UInt32(rest.prefix(4), radix: 16).flatMap { Unicode.Scalar($0) }
                rest = rest.dropFirst(4)
                text.unicodeScalars.append(scalar ?? "?")
            default: text.append(escape)
            }
        }
        return text
    }
}
