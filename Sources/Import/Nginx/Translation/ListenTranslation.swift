import Configuration

extension NginxTranslation {
    /// One address to listen on, for one or more servers.
    struct Address {
        /// ":443", "127.0.0.1:8080".
        var text: String
        var isSecure: Bool
        var hasProxyProtocol: Bool
        var isDefault: Bool
    }

    /// Adds the listeners of a server, or itself to those that other servers have made. `redirect`: to HTTPS. Returns the
    /// addresses.
    mutating func listen(_ server: NginxLevel, _ scope: NginxScope, redirect: SecureRedirect?) -> Set<String> {
        var addresses = addresses(of: server)
        if server["listen"].isEmpty {
            addresses = [Address(text: ":80", isSecure: false, hasProxyProtocol: false, isDefault: false)]
            if server.head.id != Self.impliedServerID {
                result.notes.add(to: server.head, .byDefault, "without listen nginx takes port 80")
            }
        }
        if server["ssl"].last?.first == "on" {
            for index in addresses.indices { addresses[index].isSecure = true }
            for directive in server["ssl"] { result.notes.note(directive.statement, .kept) }
        }
        var isFirst = true
        for address in addresses {
            let index = listener(for: address)
            if redirect != nil, !address.isSecure {
                let port = redirect?.port.map { "https:\($0)" } ?? "https"
                if result.listeners[index].redirect == nil, !servesPlainly(index) {
                    result.listeners[index].redirect = port
                }
            } else if !address.isSecure {
                result.listeners[index].redirect = nil
                plainListeners.insert(index)
            }
            if isFirst { result.listeners[index].blocks.append(server.sourceBlock) }
            isFirst = false
            readSettings(server, scope, index, address)
        }
        if addresses.isEmpty { result.blocks.append(server.sourceBlock) }
        return Set(addresses.map(\.text))
    }

    /// Whether a server that answers has the listener already: then it cannot redirect.
    private func servesPlainly(_ index: Int) -> Bool { plainListeners.contains(index) }

    private mutating func listener(for address: Address) -> Int {
        let known = result.listeners.firstIndex { $0.https == address.text || $0.http == address.text }
        if let index = known {
            // One server with TLS on an address makes it TLS for all.
            if address.isSecure, result.listeners[index].http == address.text {
                (result.listeners[index].https, result.listeners[index].http) = (address.text, nil)
                plainListeners.remove(index)
            }
            return index
        }
        var listener = ImportedListener()
        if address.isSecure { listener.https = address.text } else { listener.http = address.text }
        result.listeners.append(listener)
        return result.listeners.count - 1
    }

    // MARK: - Addresses

    private mutating func addresses(of server: NginxLevel) -> [Address] {
        var addresses: [Address] = []
        for directive in server["listen"] {
            let words = Set(directive.words.dropFirst())
            if words.contains("quic") {
                result.notes.note(
                    directive.statement, .leftOut, "HTTP/3 is not spoken; clients fall back to HTTP/2")
                continue
            }
            guard let text = directive.first.flatMap(Self.address) else {
                result.notes.note(
                    directive.statement, .leftOut,
                    directive.first?.hasPrefix("unix:") == true
                        ? "clients come by TCP, not at Unix sockets"
                        : "a listener has a port, and perhaps an IP address of this machine")
                continue
            }
            result.notes.note(directive.statement, .kept)
            guard !addresses.contains(where: { $0.text == text }), addresses.count < 64 else { continue }
            addresses.append(
                Address(
                    text: text, isSecure: words.contains("ssl"), hasProxyProtocol: words.contains("proxy_protocol"),
                    isDefault: words.contains("default_server") || words.contains("default")))
        }
        return addresses
    }

    /// An address as Berth writes it: ":80" for "80", "*:80" and "[::]:80". Nil for a name or a path.
    private static func address(_ text: String) -> String? {
        if let port = NginxValue.integer(text, in: 1...65_535) { return ":\(port)" }
        var host = text
        var port = 80
        if text.hasPrefix("[") {
            guard let bracket = text.lastIndex(of: "]") else { return nil }
            let rest = text[text.index(after: bracket)...]
            host = String(text[text.index(after: text.startIndex)..<bracket])
            if !rest.isEmpty {
                guard rest.first == ":", let number = NginxValue.integer(String(rest.dropFirst()), in: 1...65_535)
                else { return nil }
                port = number
            }
        } else if let colon = text.lastIndex(of: ":") {
            guard let number = NginxValue.integer(String(text[text.index(after: colon)...]), in: 1...65_535) else {
                return nil
            }
            host = String(text[..<colon])
            port = number
        }
        if host == "*" { return ":\(port)" }
        if host == "localhost" { return "127.0.0.1:\(port)" }
        guard let address = IPAddressText(host) else { return nil }
        if address.text == "0.0.0.0" || address.text == "::" { return ":\(port)" }
        return address.isIPv4 ? "\(address.text):\(port)" : "[\(address.text)]:\(port)"
    }

    // MARK: - Settings

    private mutating func readSettings(_ server: NginxLevel, _ scope: NginxScope, _ index: Int, _ address: Address) {
        var listener = result.listeners[index]
        if address.isSecure { readCertificates(scope, &listener, server) }
        readProxies(scope, &listener, address)
        readTimeouts(scope, &listener)
        for directive in scope.inherited("client_max_body_size") { readBodySize(directive, &listener) }
        var pending = server["location"]
        while let location = pending.popLast() {
            for directive in location.block ?? [] {
                if directive.name == "client_max_body_size" { readBodySize(directive, &listener) }
                if directive.name == "location" { pending.append(directive) }
            }
        }
        if let directive = scope.value("http2_max_concurrent_streams"),
            let streams = NginxValue.integer(directive.first, in: 1...10_000)
        {
            listener.streams = streams == 256 ? nil : streams
            result.notes.note(directive.statement, streams == 256 ? .byDefault : .kept)
        }
        for directive in scope.inherited("access_log") {
            if directive.first == "off" {
                result.notes.note(directive.statement, .byDefault)
            } else {
                result.hasAccessLog = true
                result.notes.note(directive.statement, .kept, "access_log: to standard output, which the journal keeps")
            }
        }
        result.listeners[index] = listener
    }

    private mutating func readBodySize(_ directive: NginxDirective, _ listener: inout ImportedListener) {
        guard let written = NginxValue.size(directive.first) else {
            result.notes.note(directive.statement, .leftOut, "this is no size")
            return
        }
        // 0 is no limit.
        let bytes = written == 0 ? 1 << 40 : written
        listener.requestBody = max(listener.requestBody ?? 0, bytes)
        result.notes.note(
            directive.statement, .kept, written == 0 ? "the largest that may be written" : "of the whole listener")
    }

    private mutating func readTimeouts(_ scope: NginxScope, _ listener: inout ImportedListener) {
        func read(_ name: String, usual: Int) -> Duration? {
            guard let directive = scope.value(name), let timeout = NginxValue.duration(directive.first) else {
                return nil
            }
            guard timeout > .zero else {
                result.notes.note(directive.statement, .byDefault, "idle clients are closed some time")
                return nil
            }
            let isUsual = timeout == .seconds(usual)
            result.notes.note(directive.statement, isUsual ? .byDefault : .kept)
            return isUsual ? nil : timeout.clamped(to: .milliseconds(1) ... .seconds(31_536_000))
        }
        listener.timeouts.header = read("client_header_timeout", usual: 10)
        listener.timeouts.body = read("client_body_timeout", usual: 30)
        listener.timeouts.idle = read("keepalive_timeout", usual: 75)
    }

    private mutating func readProxies(_ scope: NginxScope, _ listener: inout ImportedListener, _ address: Address) {
        var proxies: [String] = []
        for directive in scope.inherited("set_real_ip_from") {
            guard let block = directive.first.flatMap({ AddressBlock($0) }) else {
                result.notes.note(directive.statement, .leftOut, "proxies are known by IP addresses and blocks of them")
                continue
            }
            result.notes.note(directive.statement, .kept)
            if !proxies.contains(block.text), proxies.count < 1_000 { proxies.append(block.text) }
        }
        for proxy in proxies where !listener.trustedProxies.contains(proxy) { listener.trustedProxies.append(proxy) }
        if let directive = scope.value("real_ip_header"), let name = directive.first {
            readRealAddress(name, directive, &listener)
        }
        guard address.hasProxyProtocol else { return }
        if listener.trustedProxies.isEmpty {
            listener.trustedProxies = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"]
            let reason =
                "proxy_protocol: nginx believes whoever connects, Berth only proxies that it knows: name yours in trusted_proxies"
            for directive in scope.own["listen"] where directive.words.contains("proxy_protocol") {
                result.notes.note(directive.statement, .repaired, reason)
            }
        }
        listener.hasProxyProtocol = true
    }

    private mutating func readRealAddress(
        _ name: String, _ directive: NginxDirective, _ listener: inout ImportedListener
    ) {
        switch name.lowercased() {
        case "x-forwarded-for": result.notes.note(directive.statement, .byDefault, "of trusted_proxies it is believed")
        case "proxy_protocol":
            result.notes.note(directive.statement, .byDefault, "a PROXY header says who the client is")
        case "forwarded":
            result.notes.note(directive.statement, .leftOut, "the client's address is not read out of Forwarded")
        default:
            guard Self.isFieldName(name), !name.contains("_"), !name.lowercased().hasPrefix("mcp-"),
                name.lowercased() != "host"
            else {
                result.notes.note(directive.statement, .leftOut, "this is no field that could say the client's address")
                return
            }
            if listener.trustedProxies.isEmpty {
                result.notes.note(
                    directive.statement, .leftOut, "it is believed of trusted_proxies, and none are named")
            } else {
                listener.trustedHeader = name
                result.notes.note(directive.statement, .kept)
            }
        }
    }

    // MARK: - TLS

    private mutating func readCertificates(
        _ scope: NginxScope, _ listener: inout ImportedListener, _ server: NginxLevel
    ) {
        let certificates = scope.inherited("ssl_certificate")
        let keys = scope.inherited("ssl_certificate_key")
        for (certificate, key) in zip(certificates, keys) {
            guard let file = certificate.first, let keyFile = key.first, !"\(file)\(keyFile)".contains("$"),
                !"\(file)\(keyFile)".contains("data:"), RouteHost.isPlain(file), RouteHost.isPlain(keyFile),
                !file.isEmpty, !keyFile.isEmpty,
                listener.certificates.count < 1_000
            else {
                for directive in [certificate, key] {
                    result.notes.note(directive.statement, .leftOut, "certificates are files with fixed names")
                }
                continue
            }
            for directive in [certificate, key] { result.notes.note(directive.statement, .kept) }
            let pair = ImportedListener.CertificatePair(certificate: file, key: keyFile)
            if !listener.certificates.contains(pair) { listener.certificates.append(pair) }
        }
        if certificates.count != keys.count {
            for directive in certificates + keys {
                result.notes.note(directive.statement, .leftOut, "each certificate has its key")
            }
        }
        if let directive = scope.value("ssl_protocols") { readProtocols(directive, &listener) }
        readClientAuthentication(scope, &listener)
        if certificates.isEmpty {
            result.notes.add(
                to: server.head, .repaired,
                "no ssl_certificate is named, and nginx would not start: write yours as cert and key")
        }
    }

    private mutating func readProtocols(_ directive: NginxDirective, _ listener: inout ImportedListener) {
        let versions = Set(directive.words)
        if versions == ["TLSv1.3"] {
            listener.requiresTLS13 = true
            result.notes.note(directive.statement, .kept)
        } else if versions.isSubset(of: ["TLSv1.2", "TLSv1.3"]) {
            result.notes.note(directive.statement, .byDefault)
        } else {
            result.notes.note(directive.statement, .repaired, "TLS 1.2 is the oldest that is spoken (RFC 8996)")
        }
    }

    private mutating func readClientAuthentication(_ scope: NginxScope, _ listener: inout ImportedListener) {
        guard let directive = scope.value("ssl_verify_client"), directive.first != "off" else {
            if let directive = scope.value("ssl_verify_client") { result.notes.note(directive.statement, .byDefault) }
            return
        }
        guard let authorities = scope.value("ssl_client_certificate"), let file = authorities.first, !file.isEmpty,
            RouteHost.isPlain(file)
        else {
            result.notes.note(directive.statement, .leftOut, "it needs ssl_client_certificate")
            return
        }
        let isChecked = scope.own["if"].contains { $0.condition.first?.lowercased() == "$ssl_client_verify" }
        listener.clientAuthentication = ImportedListener.ClientAuthentication(
            isOptional: directive.first != "on" && !isChecked, authorities: file)
        for directive in [directive, authorities] { result.notes.note(directive.statement, .kept) }
    }
}
