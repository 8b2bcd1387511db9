/// A listener with its position in the file, for checks across listeners.
struct DecodedListener {
    var configuration: ListenerConfiguration
    /// The entry with its address.
    var entry: LocatedTable.Entry
    /// The path of its table: "listen[0]".
    var table: String
    /// Whether it redirects to a port that other listeners say.
    var redirect: DecodedRedirect?
}

extension TableReader {
    /// The listeners of a `[listen]` table: none if its addresses are invalid, two with both `https` and `http`.
    static func listeners(from reader: consuming TableReader) -> [DecodedListener] {
        let tls = reader.listenAddress("https")
        let plain = reader.plainListener()
        let certificate = reader.listenerTLS(isServed: tls != nil)
        var common = ListenerConfiguration(address: ListenAddress(host: "", port: 0), security: .plain)
        common.trustedProxies = reader.addressRanges("trusted_proxies")
        common.proxyProtocol = reader.flag("proxy_protocol", default: false)
        if common.proxyProtocol, common.trustedProxies.isEmpty, let entry = reader.entry("proxy_protocol") {
            reader.findings.report(
                entry.value.range, "proxy_protocol without trusted_proxies",
                because: "a PROXY header is accepted from trusted proxies only, and there are none: every "
                    + "connection would be refused",
                help: "trusted_proxies = [\"10.0.0.7\"], the addresses of the proxies in front")
        }
        if reader.has("forwarded_proto") { common.forwardedProto = reader.choice("forwarded_proto", default: .https) }
        common.trustedHeader = reader.trustedHeader()
        common.access = reader.access()
        common.hosts = reader.servedHosts()
        common.publicURL = reader.publicURL()
        let redirect = reader.redirect()
        common.h2c = reader.flag("h2c", default: common.h2c)
        common.maximumConnections = reader.integer(
            "max_connections", in: 1...10_000_000, default: common.maximumConnections)
        common.maximumPerAddress = reader.integerOrOff(
            "max_connections_per_address", in: 1...10_000_000, default: nil)
        common.connectionOpens = reader.rateOrOff("connection_opens")
        common.timeouts = ListenerTimeouts(from: reader.table("timeouts"))
        common.limits = ListenerLimits(from: reader.table("limits"))
        common.tcp = TCPConfiguration(from: reader.table("tcp"))
        common.protocols = reader.protocols("alpn", default: common.protocols)
        reader.rejectUnavailable("rate_limit")
        reader.requireAddress()
        reader.finish()

        var listeners: [DecodedListener] = []
        if let tls {
            var listener = common
            listener.address = tls.address
            listener.security = .tls(certificate)
            listeners.append(DecodedListener(configuration: listener, entry: tls.entry, table: reader.path.name))
        }
        if let plain {
            var listener = common
            listener.address = plain.address
            listeners.append(
                DecodedListener(
                    configuration: listener, entry: plain.entry, table: reader.path.name, redirect: redirect))
        }
        return listeners
    }

    private mutating func plainListener() -> (address: ListenAddress, entry: LocatedTable.Entry)? {
        var probe = self
        if let entry = probe.take("http"), case .string("redirect") = entry.value.content {
            self = probe
            findings.report(
                entry.value.range, "http = \"redirect\" is not an address to listen on",
                because: "http says where plain requests come in, redirect what becomes of them",
                help: "http = \":80\" and redirect = \"https\"")
            return nil
        }
        return listenAddress("http")
    }

    private func requireAddress() {
        guard let range, !has("https"), !has("http") else { return }
        findings.report(
            range, "this table has no address", because: "it says how to listen but not where",
            help: "add https = \":443\" with cert and key, or http = \":80\"")
    }

    /// `alpn`: the protocols offered, the preferred one first.
    private mutating func protocols(_ key: String, default fallback: [ApplicationProtocol]) -> [ApplicationProtocol] {
        guard let (values, entry) = list(key) else { return fallback }
        var chosen: [ApplicationProtocol] = []
        for value in values {
            let raw = findings.source.text(value.range)
            guard let text = plainText(value, quoted: raw) else { continue }
            guard let known = ApplicationProtocol(rawValue: text) else {
                let names = ApplicationProtocol.allCases.map(\.rawValue)
                findings.report(
                    value.range, "\(TOMLText.quoted(text)) is not known",
                    because: "alpn offers \(Self.alternatives(names))",
                    help: Suggestion.nearest(to: text, among: names).map { "did you mean \(TOMLText.quoted($0))?" })
                continue
            }
            if !chosen.contains(known) { chosen.append(known) }
        }
        if values.isEmpty {
            findings.report(
                entry.value.range, "alpn offers nothing", because: "a client and Berth must agree on a protocol",
                help: "alpn = [\"h2\", \"http/1.1\"]")
        }
        return chosen
    }
}

extension ListenerTimeouts {
    init(from reader: consuming TableReader) {
        self.init()
        let reason = "an idle client would hold its connection forever"
        tls = reader.duration("tls", default: tls, cannotBeOff: reason)
        header = reader.duration("header", default: header, cannotBeOff: reason)
        body = reader.duration("body", default: body, cannotBeOff: reason)
        idle = reader.duration("idle", default: idle, cannotBeOff: reason)
        reader.rejectUpstreamTimeouts()
        reader.finish()
    }
}

extension ListenerLimits {
    init(from reader: consuming TableReader) {
        self.init()
        headerBytes = reader.size(
            "header_bytes", in: 1_024...65_536, default: headerBytes, ": a head must fit the buffer it is read into")
        headers = reader.integer(
            "headers", in: 16...128, default: headers, ": that many field lines of one head are stored")
        requestBody = reader.size("request_body", in: 0...(1 << 40), default: requestBody)
        streams = reader.integer("h2_streams", in: 1...10_000, default: streams)
        reader.finish()
    }
}

extension TableReader {
    /// Reports keys of `[upstream.<name>.timeouts]` in `[listen.timeouts]`: the two tables are easily confused.
    fileprivate mutating func rejectUpstreamTimeouts() {
        for key in ["first_byte", "read", "stream_idle"] {
            guard let entry = entry(key) else { continue }
            markHandled(key)
            findings.report(
                entry.key, "\(TOMLText.quoted(key)) belongs to an upstream",
                because: "[listen] times what clients do, [upstream.<name>.timeouts] what servers do")
        }
    }
}
