/// "host:port" taken apart, or why it cannot be.
struct HostAndPort {
    enum Fault: Error, Equatable {
        /// "mcp-1"
        case noPort
        /// "mcp-1:http", "mcp-1:70000"
        case badPort(String)
        /// "::1:80"
        case unbracketed
        /// "http://mcp-1:80"; what stands after the scheme, without a path.
        case url(scheme: String, rest: String)
        /// A byte that no host name has.
        case badHost(String)
    }

    var host: String
    var port: UInt16
    /// Whether the host stood in brackets.
    var isBracketed: Bool

    init(_ text: String) throws(Fault) {
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

    /// Whether a name is one that DNS, /etc/hosts or a container network can hold.
    static func isHostName(_ name: String) -> Bool {
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
