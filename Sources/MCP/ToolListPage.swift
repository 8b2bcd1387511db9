import ASCII
import JSON

/// The tools of one `tools/list` result, with what is said of each.
package struct ToolListPage: Equatable, Sendable {
    /// By name as it stands in the text. What stands there twice has only what both say.
    package private(set) var tools: [[UInt8]: ToolAnnotations.Hints] = [:]

    /// Reads a JSON-RPC response; nil if it is cut off, malformed, or has no list of tools.
    package init?(response text: Span<UInt8>) {
        var reader = JSONReader()
        var hasTools = false
        guard reader.openObject(text) else { return nil }
        while let key = reader.nextName(text) {
            guard JSONString.content(text.extracting(key), equals: "result"), reader.peek(text) == UInt8(ascii: "{")
            else {
                guard reader.value(text) != nil else { return nil }
                continue
            }
            guard reader.openObject(text) else { return nil }
            while let member = reader.nextName(text) {
                guard JSONString.content(text.extracting(member), equals: "tools"),
                    reader.peek(text) == UInt8(ascii: "[")
                else {
                    guard reader.value(text) != nil else { return nil }
                    continue
                }
                hasTools = true
                readTools(text, &reader)
            }
        }
        guard hasTools, reader.isAtEnd(text) else { return nil }
    }

    /// Reads an event stream: the tools of all its responses; nil if none of them has a list.
    package init?(events text: Span<UInt8>) {
        var hasTools = false
        EventStream.forEachMessage(in: text) { message in
            guard let page = ToolListPage(response: message) else { return }
            hasTools = true
            for (name, hints) in page.tools { note(name, hints) }
        }
        guard hasTools else { return nil }
    }

    private mutating func note(_ name: [UInt8], _ hints: ToolAnnotations.Hints) {
        if let known = tools[name] {
            tools[name] = known.intersection(hints)
        } else if tools.count < ToolAnnotations.maximumTools {
            tools[name] = hints
        }
    }

    private mutating func readTools(_ text: Span<UInt8>, _ reader: inout JSONReader) {
        guard reader.openArray(text) else { return }
        while reader.nextElement(text) {
            guard reader.peek(text) == UInt8(ascii: "{") else {
                guard reader.value(text) != nil else { return }
                continue
            }
            readTool(text, &reader)
        }
    }

    private mutating func readTool(_ text: Span<UInt8>, _ reader: inout JSONReader) {
        guard reader.openObject(text) else { return }
        var name: Range<Int>?
        var hints: ToolAnnotations.Hints?
        // What stands there twice is read differently by different readers, and counts as not said.
        var isAmbiguous = false
        while let key = reader.nextName(text) {
            let first = reader.peek(text)
            if JSONString.content(text.extracting(key), equals: "name"), first == UInt8(ascii: "\"") {
                isAmbiguous = isAmbiguous || name != nil
                name = reader.string(text)
            } else if JSONString.content(text.extracting(key), equals: "annotations"), first == UInt8(ascii: "{") {
                isAmbiguous = isAmbiguous || hints != nil
                hints = Self.readHints(text, &reader)
            } else if reader.value(text) == nil {
                return
            }
        }
        guard reader.failure == nil, let name, name.count <= ToolAnnotations.maximumNameBytes else { return }
        let spelled = text.extracting(name)
        for index in spelled.indices where spelled[index] == UInt8(ascii: "\\") { return }
        note(spelled.copied, isAmbiguous ? [] : hints ?? [])
    }

    private static func readHints(_ text: Span<UInt8>, _ reader: inout JSONReader) -> ToolAnnotations.Hints {
        guard reader.openObject(text) else { return [] }
        var hints: ToolAnnotations.Hints = []
        var seen: ToolAnnotations.Hints = []
        var isAmbiguous = false
        while let key = reader.nextName(text) {
            let name = text.extracting(key)
            let hint: ToolAnnotations.Hints =
                JSONString.content(name, equals: "readOnlyHint")
                ? .readOnly : JSONString.content(name, equals: "idempotentHint") ? .idempotent : []
            guard let value = reader.value(text) else { return [] }
            isAmbiguous = isAmbiguous || !seen.isDisjoint(with: hint)
            seen.formUnion(hint)
            if text.extracting(value).equals("true") { hints.formUnion(hint) }
        }
        return isAmbiguous ? [] : hints
    }
}
