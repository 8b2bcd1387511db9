import COpenSSL

/// The functions that TLS 1.3 derives keys with (RFC 8446 section 7.1, RFC 5869).
package enum KeyDerivation {
    /// HKDF-Expand-Label: fills `output` from a secret. False if a length is not one that TLS 1.3 has: an output of more than
    /// 255 hashes, a label of more than 255 bytes with its prefix, or a context of more than 255.
    package static func expand(
        _ function: HashFunction, secret: UnsafeRawBufferPointer, prefix: UnsafeRawBufferPointer,
        label: UnsafeRawBufferPointer, context: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard output.count <= 255 * function.count, prefix.count + label.count <= 255, context.count <= 255,
            let base = output.baseAddress
        else { return false }
        var block = InlineArray<48, UInt8>(repeating: 0)
        var written = 0
        var counter: UInt8 = 0
        while written < output.count {
            counter += 1
            var hash = KeyedHash(function, key: secret)
            if counter > 1 {
                withUnsafeBytes(of: block) { hash.update(UnsafeRawBufferPointer(rebasing: $0[0..<function.count])) }
            }
            hash.update(UInt8(truncatingIfNeeded: output.count >> 8))
            hash.update(UInt8(truncatingIfNeeded: output.count))
            hash.update(UInt8(truncatingIfNeeded: prefix.count + label.count))
            hash.update(prefix)
            hash.update(label)
            hash.update(UInt8(truncatingIfNeeded: context.count))
            hash.update(context)
            hash.update(counter)
            let count = min(function.count, output.count - written)
            withUnsafeMutableBytes(of: &block) { block in
                if let start = block.baseAddress {
                    hash.finish(start)
                    (base + written).copyMemory(from: start, byteCount: count)
                }
            }
            written += count
        }
        withUnsafeMutableBytes(of: &block) { OPENSSL_cleanse($0.baseAddress, $0.count) }
        return true
    }

    /// The same with a label of TLS 1.3's own, whose prefix is "tls13 ".
    static func expand(
        _ function: HashFunction, secret: UnsafeRawBufferPointer, _ label: StaticString,
        into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let prefix: StaticString = "tls13 "
        return expand(
            function, secret: secret,
            prefix: UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount),
            label: UnsafeRawBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount),
            context: UnsafeRawBufferPointer(start: nil, count: 0), into: output)
    }

    /// The next secret of the key schedule, `function.count` bytes: HKDF-Extract over `input` (zeros if it is nil), salted with what
    /// "derived" makes of `previous` (nothing if that is nil).
    package static func extract(
        _ function: HashFunction, previous: UnsafeRawBufferPointer?, input: UnsafeRawBufferPointer?,
        prefix: UnsafeRawBufferPointer, label: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
    ) -> Bool {
        var salt = InlineArray<48, UInt8>(repeating: 0)
        let zeros = InlineArray<48, UInt8>(repeating: 0)
        var saltCount = 0
        if let previous {
            var empty = InlineArray<48, UInt8>(repeating: 0)
            saltCount = function.count
            let isDerived = withUnsafeMutableBytes(of: &empty) { empty in
                let bytes = empty.baseAddress?.assumingMemoryBound(to: UInt8.self)
                if function == .sha256 { SHA256(nil, 0, bytes) } else { SHA384(nil, 0, bytes) }
                return withUnsafeMutableBytes(of: &salt) { salt in
                    expand(
                        function, secret: previous, prefix: prefix, label: label,
                        context: UnsafeRawBufferPointer(rebasing: empty[0..<function.count]),
                        into: UnsafeMutableRawBufferPointer(rebasing: salt[0..<function.count]))
                }
            }
            guard isDerived else { return false }
        }
        withUnsafeMutableBytes(of: &salt) { salt in
            var hash = KeyedHash(function, key: UnsafeRawBufferPointer(rebasing: salt[0..<saltCount]))
            if let input {
                hash.update(input)
            } else {
                withUnsafeBytes(of: zeros) { hash.update(UnsafeRawBufferPointer(rebasing: $0[0..<function.count])) }
            }
            hash.finish(output)
            OPENSSL_cleanse(salt.baseAddress, salt.count)
        }
        return true
    }
}
