import Discovery
import Kernel

/// What name servers and target files say about servers.
enum DNSCheck {
    static func message(_ bytes: [UInt8]) throws(Finding) {
        guard let message = DNSMessage(bytes.span) else { return }
        let most = min(DNSMessage.maximumRecords, bytes.count / 11)
        try require(message.records.count <= most, "\(message.records.count) records in \(bytes.count) bytes")
        try require((0...15).contains(message.code), "code \(message.code)")
        for record in message.records {
            try require(record.ttl <= UInt32(Int32.max), "a TTL of \(record.ttl)")
            try require(record.name.utf8.count < 1_024, "a name of \(record.name.utf8.count) bytes")
        }
        try requireEqual(DNSMessage(bytes.span), message, "read again")
        try require(DNSMessage((bytes + [0]).span) == nil, "what stands behind the last record was taken")
        let lookup = AddressLookup { _, _ in .success(message) }
        for answer in [lookup.servers(of: "mcp.test", port: 3_001), lookup.servers(ofService: "_mcp._tcp.test")] {
            guard case .success(let answer) = answer else { continue }
            try require(!answer.servers.isEmpty, "an answer without servers")
        }
    }

    static func targetFile(_ bytes: [UInt8]) throws(Finding) {
        switch TargetFile.servers(bytes.span) {
        case .success(let answer): try require(!answer.servers.isEmpty, "a file without servers")
        case .failure(let failure): try require(!"\(failure)".isEmpty, "a failure without words")
        }
    }
}
