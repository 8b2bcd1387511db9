import Caching
import HTTP
import Kernel
import MCP
import Reactor

/// A stream to a server that is to be opened.
struct ListenStart {
    let cache: UpstreamCache
    let upstream: Int
    let template: RequestTemplate
    let version: [UInt8]
    let origin: ClientOrigin
}

/// One stream for each upstream with a cache, of one worker: on it a server says what has changed (MCP 2026-07-28,
/// `subscriptions/listen`), also when no client listens.
extension Worker where Outside: ~Copyable {
    /// An answer is being fetched: if nobody listens to the upstream, this worker will, like the client that asked, but
    /// without its credentials.
    mutating func considerListening(_ exchange: Handle, _ cache: UpstreamCache) {
        guard cache.answers.rules.listens, !lifecycle.isDraining, let version = io.requestHead.protocolVersion,
            cache.claimListening(at: clock.now) == .granted
        else { return }
        let client = exchanges[exchange].client
        exchanges.caching.listenStarts.append(
            ListenStart(
                cache: cache, upstream: Int(exchanges[exchange].upstream),
                template: RequestTemplate(io.requestHead, in: io.received, credentials: false),
                version: io.received.bytes(version.range),
                origin: ClientOrigin(
                    address: clients[client].address, listener: clients.listener(of: client),
                    isSecure: clients[client].isSecure, extras: exchanges.extras[exchange.slot])))
    }

    /// Opens what is to be opened. Between events: it needs the scratch.
    mutating func startListening() {
        let starts = exchanges.caching.listenStarts
        exchanges.caching.listenStarts = []
        for start in starts {
            let text = start.template.request(
                body: Self.listenMessage(version: start.version), session: nil, version: start.version,
                method: "subscriptions/listen")
            let request = InternalRequest(.listening(since: clock.now), upstream: start.upstream, target: .anyBut([]))
            if lifecycle.isDraining || !self.start(request, text, like: start.origin) {
                start.cache.endListening(wasOpen: false, at: clock.now)
            }
        }
    }

    private static func listenMessage(version: [UInt8]) -> [UInt8] {
        Array(
            #"""
            {"jsonrpc":"2.0","id":"berth","method":"subscriptions/listen","params":{"notifications":\#
            {"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true},"_meta":\#
            {"io.modelcontextprotocol/protocolVersion":"\#(String(decoding: version, as: UTF8.self))",\#
            "io.modelcontextprotocol/clientInfo":{"name":"berth","version":"1"},\#
            "io.modelcontextprotocol/clientCapabilities":{}}}}
            """#.utf8)
    }

    /// How long a stream must have gone on to be one that the server meant to keep.
    private static var leastTime: Interval { .seconds(10) }

    /// A stream is over. The next answer that is fetched opens another one; until then nobody hears what changes, so the lists
    /// that there are go.
    mutating func listeningEnded(_ request: InternalRequest, since start: Instant) {
        guard servers.upstreams.indices.contains(request.upstream),
            let cache = servers.upstreams[request.upstream].plan.cache
        else { return }
        let wasOpen =
            request.response.starts(with: Array("HTTP/1.1 200 ".utf8)) && clock.now - start >= Self.leastTime
        cache.endListening(wasOpen: wasOpen, at: clock.now)
        guard wasOpen else { return }
        for change in [ServerChange.tools, .prompts, .resources] { outdate(change, cache) }
    }

    /// Ends the streams to servers that are to have no work any more, or all of them: nothing waits for these.
    mutating func endListenStreams(all: Bool = false) {
        guard !clients.internalRequests.isEmpty else { return }
        for client in clients.internalRequests.listening {
            guard let client = clients.handle(inSlot: Int(client)), clients.isInternal(client) else { continue }
            let exchange = clients[client].exchange
            let server = exchanges.contains(exchange) ? Int(exchanges[exchange].server) : -1
            let isLeaving = server >= 0 && (servers[server].plan.drains || servers[server].isRetired)
            if all || isLeaving { internalTimedOut(client) }
        }
    }
}
