import ASCII
import JSON

/// A message as a decision may rest on it: read only if every reader reads it alike, as far as its method, what it is about
/// and its revision go.
///
/// Readers of JSON disagree about names that stand there twice, and some take `Method` for `method`, end a text at a NUL, or
/// drop what is no Unicode (RFC 8259 sections 4, 8 and 9 leave most of it open). Whoever allows or limits by a message that
/// a server reads in another way allows what he never saw. Work is linear in the body, nothing is recursed into.
package enum StrictReading: Equatable, Sendable {
    /// One message.
    case message(RequestSummary)
    /// An array of messages (2025-03-26 only), of which nothing was read.
    case batch
    /// No message, or one that can be read in two ways.
    case flawed(Flaw)

    /// Why a body is not to be decided by.
    package enum Flaw: Equatable, Sendable {
        /// It is no JSON text, nests too deep, or is longer than is read: error -32700.
        case notJSON
        /// It has bytes that are no UTF-8 (RFC 8259 section 8.1): error -32700.
        case notUnicode
        /// It is JSON, and no message of JSON-RPC.
        case notMessage
        /// A name of the protocol stands there twice.
        case repeatedName
        /// A name is one of the protocol for readers that do not distinguish case, or that end texts at a NUL.
        case variantName
        /// A name, the method, or what it is about has half of a surrogate pair or a NUL.
        case brokenText
    }

    /// Reads a whole body of at most `JSONRPC.maximumBytes`.
    package init(_ body: Span<UInt8>) {
        guard body.count <= JSONRPC.maximumBytes else {
            self = .flawed(.notJSON)
            return
        }
        guard (try? UTF8Span(validating: body)) != nil else {
            self = .flawed(.notUnicode)
            return
        }
        var reader = JSONReader()
        var names = ProtocolNames()
        let isBatch = reader.peek(body) == UInt8(ascii: "[")
        let isMessage = reader.peek(body) == UInt8(ascii: "{")
        if isMessage { names.readMessage(body, &reader) } else { _ = reader.value(body) }
        guard reader.isAtEnd(body) else {
            self = .flawed(.notJSON)
            return
        }
        if isBatch {
            self = .batch
        } else if let flaw = names.flaw {
            self = .flawed(flaw)
        } else if isMessage, let summary = RequestSummary(of: body) {
            self = .message(summary)
        } else {
            self = .flawed(.notMessage)
        }
    }
}

/// The names of the protocol that a message has, at the depths where they mean something.
private struct ProtocolNames {
    /// The first flaw.
    private(set) var flaw: StrictReading.Flaw?

    private static let message: [StaticString] = ["jsonrpc", "id", "method", "params", "result", "error"]
    private static let params: [StaticString] = ["name", "uri", "taskid", "_meta", "arguments"]
    private static let meta: [StaticString] = [
        "io.modelcontextprotocol/protocolversion", "traceparent", "progresstoken",
    ]

    /// Reads the object that comes next, as the message.
    mutating func readMessage(_ text: Span<UInt8>, _ reader: inout JSONReader) {
        read(text, &reader, Self.message) { names, text, reader, name in
            if name == 3, reader.peek(text) == UInt8(ascii: "{") {
                names.readParams(text, &reader)
            } else {
                names.readValue(text, &reader, isText: name == 2)
            }
        }
    }

    private mutating func readParams(_ text: Span<UInt8>, _ reader: inout JSONReader) {
        read(text, &reader, Self.params) { names, text, reader, name in
            if name == 3, reader.peek(text) == UInt8(ascii: "{") {
                names.read(text, &reader, Self.meta) { names, text, reader, name in
                    names.readValue(text, &reader, isText: name == 0)
                }
            } else {
                names.readValue(text, &reader, isText: name.map { $0 < 3 } ?? false)
            }
        }
    }

    /// Reads the members of the object that comes next. `readMember` reads a value, whose name is one of `known`, or none.
    private mutating func read(
        _ text: Span<UInt8>, _ reader: inout JSONReader, _ known: [StaticString],
        _ readMember: (inout ProtocolNames, Span<UInt8>, inout JSONReader, Int?) -> Void
    ) {
        guard reader.openObject(text) else { return }
        var seen: UInt8 = 0
        while let range = reader.nextName(text) {
            let name = text.extracting(range)
            let index = known.firstIndex { FoldedName.content(name, equals: $0) }
            if let index {
                if seen & 1 << UInt8(index) != 0 { note(.repeatedName) }
                seen |= 1 << UInt8(index)
                if !FoldedName.isExact(name) { note(.variantName) }
            }
            if !FoldedName.isSound(name) { note(.brokenText) }
            readMember(&self, text, &reader, index)
        }
    }

    /// Reads a value. `isText`: a string there must be one that all readers read alike.
    private mutating func readValue(_ text: Span<UInt8>, _ reader: inout JSONReader, isText: Bool) {
        let isString = reader.peek(text) == UInt8(ascii: "\"")
        guard let range = reader.value(text), isText, isString else { return }
        let content = text.extracting(range.lowerBound + 1..<range.upperBound - 1)
        if !FoldedName.isSound(content) { note(.brokenText) }
    }

    private mutating func note(_ flaw: StrictReading.Flaw) {
        if self.flaw == nil { self.flaw = flaw }
    }
}
