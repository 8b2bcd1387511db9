import ASCII
import JSON

/// Tells what a 404 to a request of a session means, by its body.
package enum SessionNotFound {
    /// Longer bodies are not looked at.
    package static var maximumBytes: Int { 8_192 }

    /// Whether the body is a JSON-RPC error of another kind than servers give for a session that they do not know: -32600
    /// (Python), -32001 (TypeScript, C#) and -32000 (mcp-go). Texts and pages may mean a session, or a path that is not
    /// served; they are none.
    package static func isAnotherError(_ body: Span<UInt8>) -> Bool {
        var reader = JSONReader()
        guard reader.openObject(body) else { return false }
        var isOther = false
        while let name = reader.nextName(body) {
            if JSONString.content(body.extracting(name), equals: "error"), reader.peek(body) == UInt8(ascii: "{") {
                isOther = readError(body, &reader)
            } else {
                _ = reader.value(body)
            }
        }
        return isOther && reader.isAtEnd(body)
    }

    private static func readError(_ body: Span<UInt8>, _ reader: inout JSONReader) -> Bool {
        guard reader.openObject(body) else { return false }
        var isOther = false
        while let name = reader.nextName(body) {
            let isCode = JSONString.content(body.extracting(name), equals: "code")
            guard let value = reader.value(body) else { return false }
            guard isCode else { continue }
            let code = body.extracting(value)
            isOther =
                !(code.equals("-32600") || code.equals("-32001") || code.equals("-32000") || code.equals("-32002"))
        }
        return isOther
    }
}
