/// The URL of a store: `redis://user:password@host:port/database`, or `rediss://` for TLS, as registered with IANA.
struct StoreURL: Equatable {
    enum ParseError: Error, Equatable {
        /// There is no scheme.
        case noScheme
        /// It is another scheme than redis or rediss.
        case scheme(String)
        case noHost
        /// The host has an invalid character.
        case badHost(String)
        case badPort(String)
        /// What follows the host is not the number of a database.
        case badDatabase(String)
        /// There is a query or a fragment.
        case extra(String)
        /// A percent sign without two hexadecimal digits behind it, or what they say is no text.
        case badEscape
    }

    var host: String
    var port: UInt16 = 6379
    var isSecure: Bool
    var user = ""
    var password: String?
    var database = 0

    init(_ text: String) throws(ParseError) {
        guard let marker = text.firstIndex(of: ":"), text[marker...].hasPrefix("://") else { throw .noScheme }
        let scheme = text[..<marker].lowercased()
        guard scheme == "redis" || scheme == "rediss" else { throw .scheme(scheme) }
        isSecure = scheme == "rediss"
        var rest = text[marker...].dropFirst(3)
        host = ""
        // Taken off first: a password may have a slash in it, if not in the form that a URL gives it.
        if let at = rest.lastIndex(of: "@") {
            try readCredentials(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        if let extra = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { throw .extra(String(rest[extra...])) }
        let place = rest.prefix { $0 != "/" }
        try readPlace(place)
        let path = rest.dropFirst(place.count).drop { $0 == "/" }
        guard !path.isEmpty else { return }
        guard path.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(path) else {
            throw .badDatabase(String(path))
        }
        database = Int(number)
    }

    private mutating func readCredentials(_ text: Substring) throws(ParseError) {
        let name = text.prefix { $0 != ":" }
        guard let decoded = Self.decoded(name) else { throw .badEscape }
        user = decoded
        guard name.count < text.count else { return }
        guard let password = Self.decoded(text.dropFirst(name.count + 1)) else { throw .badEscape }
        self.password = password
    }

    private mutating func readPlace(_ text: Substring) throws(ParseError) {
        guard !text.isEmpty else { throw .noHost }
        var name = text
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            let digits = text[text.index(after: colon)...]
            guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(digits), port > 0 else {
                throw .badPort(String(digits))
            }
            self.port = port
            name = text[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") {
            guard let address = IPAddressText(String(name.dropFirst().dropLast())) else { throw .badHost(String(name)) }
            host = address.text
            return
        }
        guard !name.isEmpty else { throw .noHost }
        guard HostAndPort.isHostName(String(name)) else { throw .badHost(String(name)) }
        host = name.lowercased()
    }

    /// The text with each `%41` replaced by what it stands for; nil if that is no text.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), high != UInt8(ascii: "+"),
                high != UInt8(ascii: "-")
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
