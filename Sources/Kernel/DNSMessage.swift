import CLinux

/// What a name server has answered (RFC 1035 section 4), as far as it tells where servers are.
///
/// The bytes come from the network: whatever they are, reading them ends, and what is malformed is no message.
package struct DNSMessage: Sendable, Equatable {
    /// One record of class IN.
    package struct Record: Sendable, Equatable {
        /// What a record says.
        package enum Content: Sendable, Equatable {
            /// Of A and AAAA (RFC 1035 section 3.4.1, RFC 3596 section 2.2): an address, with port 0.
            case address(SocketAddress)
            /// Of SRV (RFC 2782): where a service is. Servers of the lowest priority are asked first.
            case service(priority: UInt16, weight: UInt16, port: UInt16, target: String)
            /// Of another type, a CNAME most often.
            case other
        }

        /// Whose record it is, without the root's dot, in lower case.
        package var name: String
        /// For how many seconds it holds.
        package var ttl: UInt32
        /// It stands in the additional section: nobody has asked for it.
        package var isAdditional: Bool
        /// What it says.
        package var content: Content

        package init(name: String, ttl: UInt32, isAdditional: Bool = false, content: Content) {
            self.name = name
            self.ttl = ttl
            self.isAdditional = isAdditional
            self.content = content
        }
    }

    /// The RCODE: 0 for an answer without an error (RFC 1035 section 4.1.1).
    package var code: Int
    /// Not all of the answer is here.
    package var isTruncated: Bool
    /// Those of the answer, then those beside it; at most `maximumRecords`.
    package var records: [Record]

    /// Records of one message that are read at most; what stands behind them is not looked at.
    package static var maximumRecords: Int { 4_096 }

    package init(records: [Record], code: Int = 0, isTruncated: Bool = false) {
        self.code = code
        self.isTruncated = isTruncated
        self.records = records
    }

    /// Reads a message; nil if it is malformed.
    package init?(_ bytes: Span<UInt8>) {
        let most = min(DNSMessage.maximumRecords, bytes.count / 11 + 1)
        let space = UnsafeMutableBufferPointer<berth_dns_record>.allocate(capacity: most)
        defer { space.deallocate() }
        var code: CInt = 0
        var truncated: CInt = 0
        let count = bytes.withUnsafeBufferPointer { bytes in
            berth_dns_parse(bytes.baseAddress, bytes.count, space.baseAddress, CInt(most), &code, &truncated)
        }
        guard count >= 0, count <= most else { return nil }
        self.code = Int(code)
        isTruncated = truncated != 0
        records = space.prefix(Int(count)).map { Record($0) }
    }
}

extension DNSMessage.Record {
    fileprivate init(_ record: berth_dns_record) {
        name = withUnsafePointer(to: record) { DNSMessage.name(berth_dns_record_name($0)) }
        // More than 31 bits count as zero (RFC 2181 section 8).
        ttl = record.ttl > UInt32(Int32.max) ? 0 : record.ttl
        isAdditional = record.is_additional != 0
        switch Int(record.type) {
        case berth_dns_a:
            content = .address(.ipv4(UInt32(truncatingIfNeeded: record.low), port: 0))
        case berth_dns_aaaa:
            let (high, low) = (record.high, record.low)
            let isIPv4 = high == 0 && low >> 32 == 0xffff
            content = .address(SocketAddress(high: high, low: low, port: 0, isIPv4: isIPv4))
        case berth_dns_srv:
            content = .service(
                priority: record.priority, weight: record.weight, port: record.port,
                target: withUnsafePointer(to: record) { DNSMessage.name(berth_dns_record_target($0)) })
        default: content = .other
        }
    }
}

extension DNSMessage {
    /// A name as the resolver writes it, in lower case and without the root's dot; names are equal whatever their case (RFC 4343).
    fileprivate static func name(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "" }
        let name = String(cString: text).lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }
}
