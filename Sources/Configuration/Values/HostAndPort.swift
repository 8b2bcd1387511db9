/// "host:port" split into its parts.
package struct HostAndPort {
    enum ParseError: Error, Equatable {
        /// There is no port: "mcp-1".
        case noPort
        /// The port is not 0 to 65535: "mcp-1:http", "mcp-1:70000".
        case badPort(String)
        /// An IPv6 address without brackets: "::1:80".
        case unbracketed
        /// A URL: "http://mcp-1:80". `rest`: the part after the scheme, without the path.
        case url(scheme: String, rest: String)
        /// The host has an invalid character.
        case badHost(String)
    }

    var host: String
    var port: UInt16
    /// Whether the host was in brackets.
    var isBracketed: Bool

    init(_ text: String) throws(ParseError) {
        if let marker = text.firstIndex(of: "/") {
            let scheme = text[..<marker]
            let rest = text[marker...].drop { $0 == "/" }.prefix { $0 != "/" }
            throw scheme.hasSuffix(":") ? .url(scheme: String(scheme.dropLast()), rest: String(rest)) : .badHost(text)
        }
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else { throw .noPort }
        var host = String(text[..<colon])
        let digits = String(text[text.index(after: colon)...])
        isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
        if isBracketed { host = String(host.dropFirst().dropLast()) }
        guard isBracketed || !host.contains(":") else { throw .unbracketed }
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(digits) else {
            throw .badPort(digits)
        }
        self.host = host
        self.port = port
    }

    /// Whether a name is valid in DNS, /etc/hosts or a container network.
    package static func isHostName(_ name: String) -> Bool {
        let bytes = name.utf8
        let isAllowed: (UInt8) -> Bool = {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return !bytes.isEmpty && bytes.count <= 253 && bytes.allSatisfy(isAllowed) && bytes.first != UInt8(ascii: ".")
            && !name.contains("..")
    }
}
