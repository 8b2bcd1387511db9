import HTTP

/// Headers of the PROXY protocol: decided once, and by their own bytes only.
enum ProxyHeaderCheck {
    static func header(_ bytes: [UInt8]) throws(Finding) {
        let whole = ProxyHeader(bytes.span)
        var isDecided = false
        for count in 0...bytes.count {
            let part = ProxyHeader(Array(bytes[..<count]).span)
            if part == .incomplete, !isDecided { continue }
            isDecided = true
            try requireEqual(part, whole, "read in another way after \(count) bytes")
        }
        guard case .complete(let length, let source) = whole else { return }
        try require(length > 0 && length <= bytes.count, "\(length) bytes of \(bytes.count)")
        try requireEqual(ProxyHeader((bytes + [0, 13, 10, 255]).span), whole, "what follows changes it")
        guard let source else { return }
        let isMapped = source.high == 0 && source.low >> 32 == 0xffff
        try require(source.isIPv4 == isMapped, "an address of both families: \(source)")
        // The same source in a header of version 2 is the same.
        let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21]
        let address = numbers(source.high, 8) + numbers(source.low, 8)
        let port = numbers(UInt64(source.port), 2)
        let binary = signature + [0x21, 0, 36] + address + [UInt8](repeating: 0, count: 16) + port + [0, 0]
        var expected = source
        expected.usesTLS = false
        try requireEqual(ProxyHeader(binary.span), .complete(length: 52, source: expected), "in version 2")
    }

    private static func numbers(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }
}
