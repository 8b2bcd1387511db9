package import Kernel

/// Writes DNS messages (RFC 1035 section 4), for name servers that tests make.
package struct DNSEncoder {
    /// The bytes so far.
    package private(set) var bytes: [UInt8]

    /// A response to a query: its id and its question, and no record yet.
    package init?(answering query: [UInt8]) {
        guard let question = DNSQuestion(query) else { return nil }
        bytes = Array(query[..<2]) + [0x85, 0x80, 0, 1, 0, 0, 0, 0, 0, 0] + question.bytes
    }

    /// A response to nobody, to a question for `name` and `type`.
    package init(name: String, type: UInt16) {
        bytes = [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 0, 0, 0, 0, 0] + Self.name(name) + Self.number(type) + [0, 1]
    }

    /// Sets the RCODE.
    package mutating func setCode(_ code: UInt8) { bytes[3] = bytes[3] & 0xf0 | code & 15 }
    /// Sets TC.
    package mutating func setTruncated() { bytes[2] |= 2 }

    /// Appends a record; the owner is the name of the question if none is given.
    package mutating func append(
        owner: String? = nil, type: UInt16, ttl: UInt32, isAdditional: Bool = false, _ data: [UInt8]
    ) {
        bytes += owner.map(Self.name) ?? [0xc0, 12]
        bytes += Self.number(type) + [0, 1] + Self.number(UInt16(ttl >> 16)) + Self.number(UInt16(ttl & 0xffff))
        bytes += Self.number(UInt16(data.count)) + data
        let place = isAdditional ? 10 : 6
        let count = UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
        bytes[place] = UInt8((count &+ 1) >> 8)
        bytes[place + 1] = UInt8(truncatingIfNeeded: count &+ 1)
    }

    /// Appends an A or an AAAA record.
    package mutating func append(
        _ address: SocketAddress, owner: String? = nil, ttl: UInt32, isAdditional: Bool = false
    ) {
        let halves = [address.high, address.low]
        let all = halves.flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) } }
        append(
            owner: owner, type: address.isIPv4 ? 1 : 28, ttl: ttl, isAdditional: isAdditional,
            address.isIPv4 ? Array(all.suffix(4)) : all)
    }

    /// Appends an SRV record (RFC 2782).
    package mutating func append(service: DNSService, ttl: UInt32) {
        append(
            type: 33, ttl: ttl,
            Self.number(service.priority) + Self.number(service.weight) + Self.number(service.port)
                + Self.name(service.target))
    }

    /// A name as it stands in messages, not compressed.
    package static func name(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func number(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
}

/// What an SRV record says.
package struct DNSService: Sendable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    package var target: String

    package init(priority: UInt16 = 0, weight: UInt16 = 0, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// The question of a query.
package struct DNSQuestion {
    /// In lower case, without a dot at the end.
    package var name = ""
    package var type: UInt16 = 0
    /// As it stands in the message.
    package var bytes: [UInt8] = []

    /// Nil if there is none.
    package init?(_ query: [UInt8]) {
        guard query.count > 16 else { return nil }
        var labels: [String] = []
        var position = 12
        while position < query.count, query[position] > 0 {
            let end = position + 1 + Int(query[position])
            guard query[position] < 64, end < query.count else { return nil }
            labels.append(String(decoding: query[position + 1..<end], as: UTF8.self).lowercased())
            position = end
        }
        guard position + 5 <= query.count else { return nil }
        name = labels.joined(separator: ".")
        type = UInt16(query[position + 1]) << 8 | UInt16(query[position + 2])
        bytes = Array(query[12..<position + 5])
    }
}
