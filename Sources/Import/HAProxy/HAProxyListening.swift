import Configuration

extension HAProxyTranslation {
    /// The addresses of a section's `bind` lines, and the listeners made for them or found, by index.
    mutating func listen(_ proxy: Proxy) -> (addresses: Set<String>, listeners: [Int]) {
        var addresses: Set<String> = []
        var listeners: [Int] = []
        for line in proxy.section.all("bind") {
            let texts = line[1].split(separator: ",").prefix(64).map { Self.address(String($0)) }
            guard !texts.isEmpty, !texts.contains(where: { $0 == nil }) else {
                let isQUIC = line[1].hasPrefix("quic")
                result.notes.note(
                    line.statement, .leftOut,
                    isQUIC ? "HTTP/3 is not spoken; clients fall back to HTTP/2" : HAProxyKnown.lossReason(line))
                continue
            }
            result.notes.note(line.statement, .kept)
            for text in texts.compactMap({ $0 }) where addresses.insert(text).inserted {
                let index = listener(for: text, isSecure: line.has("ssl"))
                if !listeners.contains(index) { listeners.append(index) }
                readOptions(line, proxy, index)
            }
        }
        return (addresses, listeners)
    }

    private mutating func listener(for address: String, isSecure: Bool) -> Int {
        if let index = result.listeners.firstIndex(where: { $0.https == address || $0.http == address }) {
            if isSecure, result.listeners[index].http == address {
                (result.listeners[index].https, result.listeners[index].http) = (address, nil)
            }
            return index
        }
        var listener = ImportedListener()
        if isSecure { listener.https = address } else { listener.http = address }
        result.listeners.append(listener)
        return result.listeners.count - 1
    }

    /// An address as Berth writes it; nil for a path, a range of ports, a name or another transport.
    private static func address(_ text: String) -> String? {
        var text = text
        for prefix in ["ipv4@", "ipv6@", "tcp@"] where text.hasPrefix(prefix) {
            text = String(text.dropFirst(prefix.count))
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        guard let port = NginxValue.integer(String(text[text.index(after: colon)...]), in: 1...65_535) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty || host == "*" || host == "0.0.0.0" || host == "::" { return ":\(port)" }
        if host == "localhost" { return "127.0.0.1:\(port)" }
        guard let address = IPAddressText(host) else { return nil }
        return address.isIPv4 ? "\(address.text):\(port)" : "[\(address.text)]:\(port)"
    }

    private mutating func readOptions(_ line: HAProxyLine, _ proxy: Proxy, _ index: Int) {
        var listener = result.listeners[index]
        if line.has("ssl") { readTLS(line, &listener) }
        if line.has("accept-proxy") {
            listener.hasProxyProtocol = true
            if listener.trustedProxies.isEmpty {
                listener.trustedProxies = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"]
            }
            result.notes.note(
                line.statement, .repaired,
                "accept-proxy: HAProxy believes whoever connects, Berth only proxies that it knows: name yours in trusted_proxies"
            )
        }
        for own in proxy.inherited("maxconn") {
            guard let number = NginxValue.integer(own[1], in: 1...10_000_000) else { continue }
            listener.maximumConnections = number
            result.notes.note(own.statement, .kept)
        }
        for (name, usual) in [("http-request", 10), ("http-keep-alive", 75)] {
            for own in proxy.inherited("timeout", name) {
                guard let timeout = milliseconds(own[2])?.clamped(to: .milliseconds(1) ... .seconds(31_536_000)) else {
                    continue
                }
                let isUsual = timeout == .seconds(usual)
                result.notes.note(own.statement, isUsual ? .byDefault : .kept)
                if name == "http-request" {
                    listener.timeouts.header = isUsual ? nil : timeout
                } else {
                    listener.timeouts.idle = isUsual ? nil : timeout
                }
            }
        }
        for own in proxy.section.all("option", "httplog") {
            self.result.hasAccessLog = true
            result.notes.note(own.statement, .kept, "access_log: to standard output, which the journal keeps")
        }
        result.listeners[index] = listener
    }

    private mutating func readTLS(_ line: HAProxyLine, _ listener: inout ImportedListener) {
        var place = 0
        while place + 1 < line.words.count, listener.certificates.count < 1_000 {
            if line.words[place] == "crt" {
                let file = line.words[place + 1]
                // The certificate, its chain and its key stand in one file.
                let pair = ImportedListener.CertificatePair(certificate: file, key: file)
                if file.hasSuffix("/") {
                    result.notes.note(
                        line.statement, .leftOut,
                        "a folder of certificates: write each as [[listen.certificate]] with cert and key")
                } else if !file.isEmpty, RouteHost.isPlain(file), !listener.certificates.contains(pair) {
                    listener.certificates.append(pair)
                }
            } else if line.words[place] == "crt-list" {
                result.notes.note(
                    line.statement, .leftOut,
                    "a list of certificates: write each as [[listen.certificate]] with cert and key")
            }
            place += 1
        }
        if line.value("ssl-min-ver") == "TLSv1.3" { listener.requiresTLS13 = true }
        if let authorities = line.value("ca-file"), let mode = line.value("verify"), mode != "none",
            RouteHost.isPlain(authorities)
        {
            listener.clientAuthentication = ImportedListener.ClientAuthentication(
                isOptional: mode == "optional", authorities: authorities)
        }
    }
}
