import ASCII
import JSON
package import Kernel
package import MCP

/// A request whose answer may be kept: what it asks for, and everything in its body that the answer depends on.
package struct CacheQuestion: Sendable, Equatable {
    /// Who says how long the answer is good.
    package enum Authority: Sendable, Equatable {
        /// The server, in the answer (MCP 2026-07-28, `ttlMs`).
        case server
        /// The operator, for so long; who also says that it is the same for everybody.
        case vouched(Interval)
    }

    /// The method of the request.
    package let method: MCPMethod
    /// The tool, or the URI of the resource, in the one spelling of its JSON string; empty for lists.
    package let subject: [UInt8]
    /// Who says how long the answer is good.
    package let authority: Authority

    /// Parameters are read up to this size; the answers to longer ones are not kept.
    package static var maximumParameters: Int { 16_384 }

    /// Reads a request; nil if its answer is not to be kept. `isModern`: it is one of revision 2026-07-28 or later. What the
    /// answer depends on is appended to `key`.
    package init?(
        _ summary: RequestSummary, _ body: Span<UInt8>, isModern: Bool, rules: CacheRules, key: inout [UInt8]
    ) {
        guard summary.hasID, let authority = Self.authority(summary, body, isModern: isModern, rules) else {
            return nil
        }
        method = summary.method
        self.authority = authority
        guard let subject = summary.subject.map({ CanonicalJSON.spelling(ofString: body.extracting($0)) }) ?? [] else {
            return nil
        }
        self.subject = subject
        // By its name: Berths of several versions may share answers.
        key += Array("\(summary.method.name ?? "") ".utf8)
        guard let params = summary.params else { return }
        guard params.count <= Self.maximumParameters, body[params.lowerBound] == UInt8(ascii: "{"),
            Self.append(body.extracting(params), to: &key)
        else { return nil }
    }

    private static func authority(
        _ summary: RequestSummary, _ body: Span<UInt8>, isModern: Bool, _ rules: CacheRules
    ) -> Authority? {
        if summary.method == .toolsCall {
            guard let name = summary.tool else { return nil }
            return rules.ttl(ofTool: body.extracting(name)).map { .vouched($0) }
        }
        if isModern { return rules.methods.contains(summary.method) ? .server : nil }
        guard CacheRules.sessionMethods.contains(summary.method) else { return nil }
        return rules.sessionLists.map { .vouched($0) }
    }

    // MARK: - Parameters

    /// Appends the parameters in one spelling, without what no answer depends on. False if they are malformed, or those of a
    /// request that goes on with an earlier one (MCP 2026-07-28, `input_required`).
    private static func append(_ params: Span<UInt8>, to key: inout [UInt8]) -> Bool {
        var reader = JSONReader()
        guard reader.openObject(params),
            let members = members(
                params, &reader,
                { name in
                    for word in Self.continuing where JSONString.content(name, equals: word) { return .refuse }
                    return JSONString.content(name, equals: "_meta") ? .meta : .keep
                })
        else { return false }
        append(members, to: &key)
        return true
    }

    private enum Part { case keep, drop, meta, refuse }

    private static let continuing: [StaticString] = ["inputResponses", "requestState", "task"]

    /// Members of `_meta` that say who asks, for which trace and with which messages in between: the result does not depend
    /// on them.
    private static let unrelated: [StaticString] = [
        "progressToken", "traceparent", "tracestate", "baggage", "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/logLevel",
    ]

    /// The members of the object that was stepped into, each as `"name":value`; nil if one is refused.
    private static func members(
        _ text: Span<UInt8>, _ reader: inout JSONReader, _ part: (Span<UInt8>) -> Part
    ) -> [[UInt8]]? {
        var members: [[UInt8]] = []
        while let range = reader.nextName(text) {
            let name = text.extracting(range)
            switch part(name) {
            case .refuse: return nil
            case .drop: guard reader.value(text) != nil else { return nil }
            case .meta:
                guard reader.openObject(text), let inner = Self.members(text, &reader, Self.metaPart) else {
                    return nil
                }
                var meta = Array("\"_meta\":".utf8)
                append(inner, to: &meta)
                members.append(meta)
            case .keep:
                var canonical = CanonicalJSON()
                guard canonical.append(quoted: name) == .appended else { return nil }
                canonical.append(byte: UInt8(ascii: ":"))
                guard canonical.append(text, &reader) == .appended else { return nil }
                members.append(canonical.text)
            }
        }
        return reader.failure == nil ? members : nil
    }

    private static func metaPart(_ name: Span<UInt8>) -> Part {
        for word in unrelated where JSONString.content(name, equals: word) { return .drop }
        return .keep
    }

    /// Appends members as an object, in one order. A name that stands there twice makes two members, and so a key of its own.
    private static func append(_ members: [[UInt8]], to key: inout [UInt8]) {
        key.append(UInt8(ascii: "{"))
        for member in members.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            key += member
            key.append(UInt8(ascii: ","))
        }
        key.append(UInt8(ascii: "}"))
    }
}
