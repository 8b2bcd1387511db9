import MCP

/// How parts of a call are called in lines.
extension CallEvent {
    /// The method's name in MCP; `response` and `batch` for messages that have none; nil for what is no message that Berth
    /// knows.
    var methodText: StaticString? {
        switch method {
        case .response: "response"
        case .batch: "batch"
        case .other: nil
        default: Self.methodNames[Int(method.rawValue)]
        }
    }

    /// By raw value, for they are looked up with each line.
    private static let methodNames: [StaticString?] = {
        var names = [StaticString?](repeating: nil, count: Int(UInt8.max) + 1)
        for method in MCPMethod.allCases { names[Int(method.rawValue)] = method.name }
        return names
    }()

    /// What the name is of, as the beginning of a member.
    var nameKey: StaticString {
        switch method {
        case .toolsCall: ",\"tool\":\""
        case .promptsGet: ",\"prompt\":\""
        case .resourcesRead, .resourcesSubscribe, .resourcesUnsubscribe: ",\"resource\":\""
        default: ",\"name\":\""
        }
    }

    /// The revision that the request names; nil if it names none.
    var revisionText: [UInt8]? { revision == 0 ? nil : Self.revisionNames[revision.trailingZeroBitCount] }

    /// By the number of the bit.
    private static let revisionNames: [[UInt8]?] = (0..<16 as Range<UInt16>).map { bit in
        ProtocolRevisions(rawValue: 1 << bit).names.first.map { Array($0.utf8) }
    }
}

extension CallEvent.Outcome {
    /// The outcome in lines, labels and documents.
    package var text: StaticString {
        switch self {
        case .success: "success"
        case .toolError: "tool_error"
        case .rpcError: "rpc_error"
        case .httpError: "http_error"
        case .timeout: "timeout"
        case .cancelled: "cancelled"
        case .aborted: "aborted"
        case .rejected: "rejected"
        }
    }
}

extension CallEvent.ClientAddress {
    /// Whether it is `::ffff:a.b.c.d`.
    fileprivate var isIPv4: Bool {
        for index in 0..<10 where bytes[index] != 0 { return false }
        return bytes[10] == 255 && bytes[11] == 255
    }
}

extension LogBuffer {
    /// The address as RFC 5952 has it, without its port; of an IPv4 one, as usual.
    mutating func append(_ client: CallEvent.ClientAddress) {
        guard client.isIPv4 else { return append(ipv6: client) }
        for index in 12..<16 {
            if index > 12 { append(".") }
            append(decimal: UInt64(client.bytes[index]))
        }
    }

    private mutating func append(ipv6 client: CallEvent.ClientAddress) {
        let zeros = Self.longestZeros(client)
        var group = 0
        while group < 8 {
            if group == zeros.lowerBound, zeros.count > 1 {
                append("::")
                group = zeros.upperBound
                continue
            }
            if group > 0, group != zeros.upperBound || zeros.count < 2 { append(":") }
            append(group: Self.group(client, group))
            group += 1
        }
    }

    private static func group(_ client: CallEvent.ClientAddress, _ index: Int) -> UInt64 {
        UInt64(client.bytes[2 * index]) << 8 | UInt64(client.bytes[2 * index + 1])
    }

    /// The first of the longest runs of groups that are zero.
    private static func longestZeros(_ client: CallEvent.ClientAddress) -> Range<Int> {
        var (longest, start) = (0..<0, 0)
        for index in 0..<8 {
            guard group(client, index) == 0 else {
                start = index + 1
                continue
            }
            if index + 1 - start > longest.count { longest = start..<index + 1 }
        }
        return longest
    }

    /// In hexadecimal, without zeros in front.
    private mutating func append(group: UInt64) {
        var shift: UInt64 = 12
        while shift > 0, group >> shift == 0 { shift -= 4 }
        while true {
            append(digit: group >> shift)
            if shift == 0 { return }
            shift -= 4
        }
    }
}
