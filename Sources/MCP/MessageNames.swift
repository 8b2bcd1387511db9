import ASCII
import JSON

/// Whether the members of a message that say what it asks for stand there in one spelling, so that a decision by them is one about what
/// the server will read.
package enum MessageNames {
    private static let message: [StaticString] = ["method", "params", "id", "jsonrpc"]
    private static let params: [StaticString] = ["name", "arguments"]

    /// False if the message, or its `params`, has a member that some readers take for one of these and others do not: in another case,
    /// with letters that fold to those of ASCII, with a NUL behind it, or with escapes. Also if it is malformed. True for arrays, of
    /// which nothing is read. Work is linear in the body.
    package static func arePlain(in text: Span<UInt8>) -> Bool {
        var reader = JSONReader()
        guard reader.openObject(text) else { return reader.peek(text) == UInt8(ascii: "[") }
        while let name = reader.nextName(text) {
            let bytes = text.extracting(name)
            guard isPlain(bytes, among: message) else { return false }
            guard bytes.equals("params"), reader.peek(text) == UInt8(ascii: "{") else {
                guard reader.value(text) != nil else { return false }
                continue
            }
            guard reader.openObject(text) else { return false }
            while let inner = reader.nextName(text) {
                guard isPlain(text.extracting(inner), among: params), reader.value(text) != nil else { return false }
            }
        }
        return reader.failure == nil && reader.isAtEnd(text)
    }

    private static func isPlain(_ name: Span<UInt8>, among known: [StaticString]) -> Bool {
        for word in known where FoldedName.content(name, equals: word) { return name.equals(word) }
        return true
    }
}
