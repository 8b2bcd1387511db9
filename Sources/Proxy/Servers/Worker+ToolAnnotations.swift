import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// What servers say of their tools, read from `tools/list` responses on their way to clients: which there are, for metrics, and
/// which may be called twice, where the operator trusts that (`retry.trust_annotations`).
extension Worker where Outside: ~Copyable {
    /// The server has called a tool read-only, and the operator believes it. `tool` is what stands between its quotes in a
    /// JSON text.
    func isReadOnly(server: Int, tool: Span<UInt8>) -> Bool { hints(of: tool, server).contains(.readOnly) }

    /// Whether a tool may be called twice where one call was meant.
    func isRepeatable(server: Int, tool: Span<UInt8>) -> Bool { !hints(of: tool, server).isEmpty }

    private func hints(of tool: Span<UInt8>, _ server: Int) -> ToolAnnotations.Hints {
        guard servers.slots.contains(server),
            servers.upstreams[servers.upstream(of: server)].plan.retry.trustsAnnotations
        else { return [] }
        return servers[server].tools.hints(of: tool)
    }

    /// A response begins whose head is parsed: its body is read if it has a list of tools, that is, if the request, which is
    /// still kept, asked for one.
    mutating func noteToolList(_ exchange: Handle) {
        guard io.responseHead.status == 200, !io.hasContentCoding, requestNames("tools/list", exchange),
            let call = keptCall(exchange), call.method == .toolsList
        else { return }
        exchanges.toolLists.begin(exchange.slot)
    }

    /// Whether a text stands somewhere in the kept request: less work than reading it.
    private func requestNames(_ text: StaticString, _ exchange: Handle) -> Bool {
        let client = exchanges[exchange].client
        guard case .post = exchanges[exchange].method, clients.contains(client) else { return false }
        let count = min(Int(exchanges[exchange].replayBytes), clients[client].transport.input.count)
        for offset in 0..<count where clients[client].transport.input.has(text, at: offset) { return true }
        return false
    }

    /// A response whose body was read is complete: takes over what it says, and tells the other workers.
    mutating func learnTools(_ exchange: Handle) {
        let isEventStream = exchanges[exchange].isEventStream
        let server = Int(exchanges[exchange].server)
        guard let body = exchanges.toolLists.finish(exchange.slot), servers.slots.contains(server) else { return }
        let upstream = servers.upstream(of: server)
        let isTrusted = servers.upstreams[upstream].plan.retry.trustsAnnotations
        // A list of the same length is the same one, which every session asks for.
        guard exchanges.toolLists.isNews(body.count, of: servers[server].id) || isTrusted else { return }
        let page = isEventStream ? ToolListPage(events: body.span) : ToolListPage(response: body.span)
        guard let page else { return }
        for name in page.tools.keys { metrics.calls.allow(tool: CallName(name.span), upstream: upstream) }
        guard isTrusted else { return }
        var tools = servers[server].tools
        tools.merge(page)
        guard tools != servers[server].tools else { return }
        servers[server].tools = tools
        for peer in inbox.peers { peer.post(.toolAnnotations(server: servers[server].id, tools)) }
    }

    /// Another worker has read what a server says of its tools.
    mutating func adopt(_ tools: ToolAnnotations, of id: ServerID) {
        let server = Int(id.slot)
        if servers.slots.contains(server), servers[server].id == id { servers[server].tools = tools }
    }
}
