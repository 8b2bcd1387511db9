import ASCII
import JSON

/// Leaves tools out of servers' messages that their reader may not know of.
///
/// What a lenient reader could take for a list of tools is one: names are compared without case, and what stands there twice is
/// filtered twice. A tool whose name cannot be told without doubt is left out.
package enum ToolListFilter {
    /// What has become of a message.
    package enum Outcome: Equatable, Sendable {
        /// Nothing of it is to be left out.
        case unchanged
        /// What is left of it.
        case changed([UInt8])
        /// It is no JSON text, or nests too deep.
        case unreadable
    }

    /// Leaves out of a message, or an array of them, what `allows` does not allow. Of a result of which something was left out,
    /// `cacheScope` (MCP 2026-07-28, "Caching") becomes `private`: it is not the same for everybody any more.
    package static func apply(to text: Span<UInt8>, allows: (String) -> Bool) -> Outcome {
        var reader = JSONReader()
        var edits: [Edit] = []
        if reader.openArray(text) {
            while reader.nextElement(text) { readMessage(text, &reader, &edits, allows) }
        } else {
            readMessage(text, &reader, &edits, allows)
        }
        guard reader.isAtEnd(text) else { return .unreadable }
        return edits.isEmpty ? .unchanged : .changed(applying(edits, to: text))
    }

    /// A piece of a text, and what stands there instead.
    private struct Edit {
        let range: Range<Int>
        let replacement: [UInt8]
    }

    /// The edits are in the order of the text.
    private static func applying(_ edits: [Edit], to text: Span<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var position = 0
        for edit in edits {
            append(text, position..<edit.range.lowerBound, to: &result)
            result += edit.replacement
            position = edit.range.upperBound
        }
        append(text, position..<text.count, to: &result)
        return result
    }

    private static func append(_ text: Span<UInt8>, _ range: Range<Int>, to result: inout [UInt8]) {
        for index in range { result.append(text[index]) }
    }

    // MARK: - Reading

    private static func readMessage(
        _ text: Span<UInt8>, _ reader: inout JSONReader, _ edits: inout [Edit], _ allows: (String) -> Bool
    ) {
        guard reader.openObject(text) else {
            _ = reader.value(text)
            return
        }
        while let name = reader.nextName(text) {
            if FoldedName.content(text.extracting(name), equals: "result"), reader.peek(text) == UInt8(ascii: "{") {
                readResult(text, &reader, &edits, allows)
            } else if reader.value(text) == nil {
                return
            }
        }
    }

    private static func readResult(
        _ text: Span<UInt8>, _ reader: inout JSONReader, _ edits: inout [Edit], _ allows: (String) -> Bool
    ) {
        guard reader.openObject(text) else { return }
        var found: [Edit] = []
        var scopes: [Edit] = []
        while let range = reader.nextName(text) {
            let name = text.extracting(range)
            guard let value = reader.value(text) else { return }
            if FoldedName.content(name, equals: "tools") {
                if let list = filtered(text.extracting(value), allows) {
                    found.append(Edit(range: value, replacement: list))
                }
            } else if FoldedName.content(name, equals: "cachescope") {
                scopes.append(Edit(range: value, replacement: Array(#""private""#.utf8)))
            }
        }
        guard !found.isEmpty else { return }
        edits += (found + scopes).sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    /// What is left of a list of tools; nil: all of it. What is no list is nothing.
    private static func filtered(_ list: Span<UInt8>, _ allows: (String) -> Bool) -> [UInt8]? {
        var reader = JSONReader()
        guard reader.openArray(list) else { return Array("[]".utf8) }
        var kept: [UInt8] = [UInt8(ascii: "[")]
        var isWhole = true
        while reader.nextElement(list), let element = reader.value(list) {
            guard let name = name(of: list.extracting(element)), allows(name) else {
                isWhole = false
                continue
            }
            if kept.count > 1 { kept.append(UInt8(ascii: ",")) }
            append(list, element, to: &kept)
        }
        kept.append(UInt8(ascii: "]"))
        return isWhole ? nil : kept
    }

    /// The name of a tool; nil if it has none, or another one for other readers.
    private static func name(of tool: Span<UInt8>) -> String? {
        var reader = JSONReader()
        guard reader.openObject(tool) else { return nil }
        var name: String?
        while let range = reader.nextName(tool) {
            let isName = FoldedName.content(tool.extracting(range), equals: "name")
            guard let value = reader.value(tool) else { return nil }
            guard isName else { continue }
            guard name == nil, value.count >= 2, tool[value.lowerBound] == UInt8(ascii: "\""),
                let bytes = JSONText.unescaped(tool.extracting(value.lowerBound + 1..<value.upperBound - 1)),
                let text = String(validating: bytes, as: UTF8.self)
            else { return nil }
            name = text
        }
        return name
    }
}
