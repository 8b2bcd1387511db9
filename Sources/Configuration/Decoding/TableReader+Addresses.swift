extension TableReader {
    /// Reads an address to listen on: ":443", "127.0.0.1:9090", "[::1]:80".
    mutating func listenAddress(_ key: String) -> (address: ListenAddress, entry: LocatedTable.Entry)? {
        note(key, .text)
        guard let entry = take(key) else { return nil }
        if case .integer(let port) = entry.value.content {
            wrongType(
                entry, "an address", "an address is an optional IP address, a colon and a port",
                help: "\(key) = \":\(port)\"")
            return nil
        }
        guard let text = plainText(entry.value, quoted: quote(entry)) else { return nil }
        return listenAddress(text, entry).map { ($0, entry) }
    }

    func listenAddress(_ text: String, _ entry: LocatedTable.Entry) -> ListenAddress? {
        let parts: HostAndPort
        do {
            parts = try HostAndPort(text)
        } catch {
            reportListen(entry, text, error)
            return nil
        }
        if parts.host.isEmpty { return ListenAddress(host: "", port: parts.port) }
        if let address = IPAddressText(parts.host) { return ListenAddress(host: address.text, port: parts.port) }
        let meant =
            switch parts.host.lowercased() {
            case "*", "any", "all": ":\(parts.port)"
            case "localhost": "127.0.0.1:\(parts.port)"
            default: nil as String?
            }
        findings.report(
            entry.value.range, "\(quote(entry)) names a host",
            because: "a socket listens on an IP address of this machine, and a name may stand for several",
            help: meant.map { "\(entry.name) = \"\($0)\"" } ?? "\":\(parts.port)\" listens on every address")
        return nil
    }

    private func reportListen(_ entry: LocatedTable.Entry, _ text: String, _ error: HostAndPort.ParseError) {
        var reason = "an address is an optional IP address, a colon and a port"
        var help: String?
        switch error {
        case .noPort:
            if UInt16(text) != nil {
                help = ":\(text)"
            } else {
                reason = "it has no port: \(reason)"
                help = "\(text):443"
            }
        case .badPort(let port):
            reason = "\(TOMLText.quoted(port)) is not a port: those are 0 to 65535, 0 for any free one"
        case .unbracketed:
            reason = "an IPv6 address stands in brackets, or its end could not be told from the port"
            if let colon = text.lastIndex(of: ":") { help = "[\(text[..<colon])]\(text[colon...])" }
        case .url(_, let rest):
            reason = "this is a URL: \(reason)"
            help = rest.contains(":") ? rest : nil
        case .badHost: break
        }
        findings.report(
            entry.value.range, "\(quote(entry)) is not an address to listen on", because: reason,
            help: help.map { "\(entry.name) = \(TOMLText.quoted($0))" })
    }

    /// Parses the address of a server: "mcp-1:3001", "10.0.0.7:3001", "[fd00::7]:3001".
    func serverAddress(_ value: LocatedValue, quoted: String) -> ServerAddress? {
        guard let text = plainText(value, quoted: quoted) else { return nil }
        let reason: String
        var help: String?
        do {
            let parts = try HostAndPort(text)
            let address = IPAddressText(parts.host)
            if parts.port == 0 {
                reason = "port 0 cannot be dialled: a server's port is 1 to 65535"
            } else if address == nil && (parts.isBracketed || !HostAndPort.isHostName(parts.host)) {
                reason = "\(TOMLText.quoted(parts.host)) is neither a host name nor an IP address"
            } else {
                if address == nil { findings.noteServerName(parts.host.lowercased(), at: value.range) }
                return ServerAddress(host: address?.text ?? parts.host.lowercased(), port: parts.port)
            }
        } catch .noPort {
            reason = "it has no port, and MCP servers have no usual one"
            help = "give the port the server listens on, such as \"\(text):3001\""
        } catch .badPort(let port) {
            reason = "\(TOMLText.quoted(port)) is not a port: those are 1 to 65535"
        } catch .unbracketed {
            reason = "an IPv6 address stands in brackets, or its end could not be told from the port"
            if let colon = text.lastIndex(of: ":") { help = "write \"[\(text[..<colon])]\(text[colon...])\"" }
        } catch .url("http", let rest) {
            reason = "a server is a host and a port, without scheme or path: paths pass through as clients send them"
            help = rest.contains(":") ? "write \(TOMLText.quoted(rest))" : "write \"\(rest):80\""
        } catch .url("https", _) {
            reason =
                "a server is a host and a port; whether TLS is spoken with servers, tls says for all of an upstream"
            help = "write the host and the port, and tls = {} beside servers"
        } catch {
            reason = "a server is a host and a port, such as \"mcp-1:3001\""
        }
        findings.report(value.range, "\(quoted) is not the address of a server", because: reason, help: help)
        return nil
    }

    /// Reads a list of IP addresses and CIDR blocks; invalid ones are reported and left out. `who`: whose they are.
    mutating func addressRanges(_ key: String, of who: String = "a proxy") -> [AddressRange] {
        guard let (values, _) = list(key) else { return [] }
        return values.compactMap { value in
            let raw = findings.source.text(value.range)
            guard let text = plainText(value, quoted: raw) else { return nil }
            return addressRange(text, value, of: who)
        }
    }

    private func addressRange(_ text: String, _ value: LocatedValue, of who: String) -> AddressRange? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddressText(String(parts[0])) else {
            findings.report(
                value.range, "\(TOMLText.quoted(text)) is not a block of addresses",
                because: "\(who) is known by its IP address, such as \"10.0.0.7\", or a block such as \"10.0.0.0/8\"",
                help: ["all", "*", "any"].contains(text) ? "all are two blocks: \"0.0.0.0/0\", \"::/0\"" : nil)
            return nil
        }
        let width = address.isIPv4 ? 32 : 128
        guard let prefix = parts.count == 1 ? width : Int(parts[1]), (0...width).contains(prefix) else {
            findings.report(
                value.range, "\(TOMLText.quoted(text)) is not a block of addresses",
                because: "the number after the slash is how many leading bits count, 0 to \(width)")
            return nil
        }
        let first = Self.first(of: address, bits: prefix + 128 - width)
        guard first == address else {
            findings.report(
                value.range, "\(TOMLText.quoted(text)) is not where its block begins",
                because: "only the first \(prefix) bits count, and this address has others set",
                help: "the block is \"\(first.text)/\(prefix)\", the one address is \"\(address.text)\"")
            return nil
        }
        let description = parts.count == 1 ? address.text : "\(address.text)/\(prefix)"
        return AddressRange(
            high: address.high, low: address.low, prefix: UInt8(prefix), isIPv4: address.isIPv4,
            description: description)
    }

    /// The address with all but its first `bits` bits cleared.
    private static func first(of address: IPAddressText, bits: Int) -> IPAddressText {
        let highMask: UInt64 = bits >= 64 ? .max : ~(.max >> UInt64(bits))
        let lowMask: UInt64 = bits >= 128 ? .max : bits <= 64 ? 0 : ~(.max >> UInt64(bits - 64))
        return IPAddressText(high: address.high & highMask, low: address.low & lowMask, isIPv4: address.isIPv4)
    }
}
