import COpenSSL

/// The hash functions of the cipher suites of TLS 1.3.
package enum HashFunction: UInt8, Sendable {
    case sha256, sha384

    /// Bytes of a hash.
    package var count: Int { self == .sha256 ? 32 : 48 }
    /// Bytes of the longest hash.
    package static var longest: Int { 48 }

    var blockBytes: Int { self == .sha256 ? 64 : 128 }

    /// The function that OpenSSL calls so; nil: none of these.
    init?(name: UnsafePointer<CChar>) {
        switch String(cString: name).uppercased() {
        case "SHA2-256", "SHA256", "SHA-256": self = .sha256
        case "SHA2-384", "SHA384", "SHA-384": self = .sha384
        default: return nil
        }
    }
}

/// HMAC (RFC 2104) over pieces of a message. The state is overwritten at the end.
struct KeyedHash {
    private let function: HashFunction
    private var short = SHA256_CTX()
    private var long = SHA512_CTX()
    private var block = InlineArray<128, UInt8>(repeating: 0)

    /// Takes a key that is not longer than a block, as all keys of TLS 1.3 are; more than that is left out.
    init(_ function: HashFunction, key: UnsafeRawBufferPointer) {
        self.function = function
        for index in 0..<min(key.count, function.blockBytes) { block[index] = key[index] }
        begin(padding: 0x36)
    }

    private mutating func begin(padding: UInt8) {
        for index in 0..<function.blockBytes { block[index] ^= padding }
        if function == .sha256 { SHA256_Init(&short) } else { SHA384_Init(&long) }
        let count = function.blockBytes
        withUnsafeBytes(of: block) { pad in
            let pad = UnsafeRawBufferPointer(rebasing: pad[0..<count])
            if function == .sha256 {
                SHA256_Update(&short, pad.baseAddress, pad.count)
            } else {
                SHA384_Update(&long, pad.baseAddress, pad.count)
            }
        }
        // The key again, for the outer hash.
        for index in 0..<function.blockBytes { block[index] ^= padding }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        if function == .sha256 {
            SHA256_Update(&short, bytes.baseAddress, bytes.count)
        } else {
            SHA384_Update(&long, bytes.baseAddress, bytes.count)
        }
    }

    mutating func update(_ byte: UInt8) {
        withUnsafeBytes(of: byte) { update($0) }
    }

    /// Writes the tag, `function.count` bytes.
    mutating func finish(_ tag: UnsafeMutableRawPointer) {
        let bytes = tag.assumingMemoryBound(to: UInt8.self)
        if function == .sha256 { SHA256_Final(bytes, &short) } else { SHA384_Final(bytes, &long) }
        begin(padding: 0x5c)
        update(UnsafeRawBufferPointer(start: tag, count: function.count))
        if function == .sha256 { SHA256_Final(bytes, &short) } else { SHA384_Final(bytes, &long) }
        withUnsafeMutableBytes(of: &block) { OPENSSL_cleanse($0.baseAddress, $0.count) }
        withUnsafeMutableBytes(of: &short) { OPENSSL_cleanse($0.baseAddress, $0.count) }
        withUnsafeMutableBytes(of: &long) { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
