/// An origin of a browser's page, such as `https://app.example.com` (RFC 6454).
struct OriginText: Equatable {
    enum ParseError: Error, Equatable {
        /// There is no scheme: "app.example.com".
        case noScheme
        /// There is more than an origin: a path, a query, a user. `origin`: what stands before it.
        case extra(origin: String)
        /// There is an asterisk.
        case wildcard
        case badHost(String)
        case badPort(String)
    }

    /// Scheme and host in lower case, without the default port, an IPv6 address in its one spelling (RFC 5952).
    let text: String

    init(_ text: String) throws(ParseError) {
        if text == "null" {
            self.text = text
            return
        }
        guard let marker = text.firstIndex(of: ":"), text[marker...].hasPrefix("://") else { throw .noScheme }
        let scheme = text[..<marker].lowercased()
        guard Self.isScheme(scheme) else { throw .noScheme }
        let rest = text[marker...].dropFirst(3)
        if rest.contains("*") { throw .wildcard }
        if let end = rest.firstIndex(where: { "/?#".contains($0) }) { throw .extra(origin: String(text[..<end])) }
        if let at = rest.lastIndex(of: "@") {
            throw .extra(origin: "\(scheme)://\(rest[rest.index(after: at)...])")
        }
        if rest.hasPrefix("["), !rest.contains("]") { throw .badHost(String(rest)) }
        var host = String(rest)
        var port: UInt16?
        if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
            let digits = rest[rest.index(after: colon)...]
            guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(digits), number > 0 else {
                throw .badPort(String(digits))
            }
            host = String(rest[..<colon])
            port = number
        }
        if port == Self.defaultPorts[scheme] { port = nil }
        self.text = "\(scheme)://\(try Self.canonical(host))\(port.map { ":\($0)" } ?? "")"
    }

    private static let defaultPorts: [String: UInt16] = ["http": 80, "https": 443]

    private static func canonical(_ host: String) throws(ParseError) -> String {
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let address = IPAddressText(String(host.dropFirst().dropLast())), !address.isIPv4 else {
                throw .badHost(host)
            }
            return "[\(address.text)]"
        }
        guard HostAndPort.isHostName(host) else { throw .badHost(host) }
        return host.lowercased()
    }

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
                UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}
