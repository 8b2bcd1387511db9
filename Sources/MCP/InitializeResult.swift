import ASCII
import JSON

/// What a server has said to `initialize`, as far as another server can be compared with it.
package struct InitializeResult: Equatable, Sendable {
    /// `protocolVersion`, between its quotes.
    package let protocolVersion: [UInt8]
    /// `capabilities` as it stands in the message, brackets included.
    package let capabilities: [UInt8]

    /// What was read before.
    package init(protocolVersion: [UInt8], capabilities: [UInt8]) {
        self.protocolVersion = protocolVersion
        self.capabilities = capabilities
    }

    /// Reads the body of a response to `initialize`: one message, or event streams of which one event is the message.
    /// Nil if it is an error, or none that can be read.
    package init?(of body: Span<UInt8>, isEventStream: Bool) {
        guard isEventStream else {
            self.init(message: body)
            return
        }
        var start = 0
        while start < body.count {
            let end = Self.lineEnd(body, from: start)
            if let data = Self.data(body, start..<end), let result = InitializeResult(message: body.extracting(data)) {
                self = result
                return
            }
            start = end + 1
        }
        return nil
    }

    private init?(message: Span<UInt8>) {
        var parts = Parts()
        var reader = JSONReader()
        guard reader.openObject(message) else { return nil }
        while let name = reader.nextName(message) {
            if JSONString.content(message.extracting(name), equals: "result") {
                parts.readResult(message, &reader)
            } else {
                _ = reader.value(message)
            }
        }
        guard reader.isAtEnd(message), let version = parts.version, let capabilities = parts.capabilities else {
            return nil
        }
        protocolVersion = Self.bytes(message, version)
        self.capabilities = Self.bytes(message, capabilities)
    }

    /// Whether a session that was opened with `recorded` can go on with the server that has said this: it speaks the same
    /// revision, and offers at least as much. Names are not compared: replicas may have names of their own.
    package func canReplace(_ recorded: InitializeResult) -> Bool {
        protocolVersion == recorded.protocolVersion
            && JSONContainment.contains(capabilities.span, recorded.capabilities.span)
    }

    private static func bytes(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8] { range.map { text[$0] } }

    private static func lineEnd(_ body: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < body.count, body[end] != 0x0a, body[end] != 0x0d { end += 1 }
        return end
    }

    /// The value of a `data` line of an event stream.
    private static func data(_ body: Span<UInt8>, _ line: Range<Int>) -> Range<Int>? {
        guard line.count > 5, body.extracting(line.lowerBound..<(line.lowerBound + 5)).equals("data:") else {
            return nil
        }
        return (line.lowerBound + 5)..<line.upperBound
    }
}

/// Where the parts of an InitializeResult stand.
private struct Parts {
    var version: Range<Int>?
    var capabilities: Range<Int>?

    mutating func readResult(_ text: Span<UInt8>, _ reader: inout JSONReader) {
        guard reader.openObject(text) else {
            _ = reader.value(text)
            return
        }
        while let member = reader.nextName(text) {
            let key = text.extracting(member)
            if JSONString.content(key, equals: "protocolVersion") {
                version = reader.string(text)
            } else if JSONString.content(key, equals: "capabilities") {
                capabilities = reader.value(text)
            } else {
                _ = reader.value(text)
            }
        }
    }
}

/// Whether one JSON value has all that another has.
enum JSONContainment {
    /// How deep objects are compared; what nests deeper must be equal byte for byte.
    private static var maximumDepth: Int { 8 }
    /// Bytes beyond which values are only compared byte for byte: looking members up is quadratic.
    private static var maximumBytes: Int { 16_384 }

    /// Whether every member of `smaller` stands in `larger` with the same value, at every level of objects. Other values
    /// are compared as they are written.
    static func contains(_ larger: Span<UInt8>, _ smaller: Span<UInt8>, depth: Int = 0) -> Bool {
        if larger.equals(smaller) { return true }
        guard depth < maximumDepth, larger.count <= maximumBytes, smaller.count <= maximumBytes else { return false }
        var (reader, other) = (JSONReader(), JSONReader())
        guard reader.openObject(smaller), other.openObject(larger) else { return false }
        while let name = reader.nextName(smaller) {
            guard let value = reader.value(smaller),
                let other = member(smaller.extracting(name), of: larger),
                contains(larger.extracting(other), smaller.extracting(value), depth: depth + 1)
            else { return false }
        }
        return reader.failure == nil
    }

    private static func member(_ name: Span<UInt8>, of object: Span<UInt8>) -> Range<Int>? {
        var reader = JSONReader()
        guard reader.openObject(object) else { return nil }
        while let other = reader.nextName(object) {
            let value = reader.value(object)
            if object.extracting(other).equals(name) { return value }
        }
        return nil
    }
}
