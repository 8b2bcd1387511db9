import TestSupport
import Testing

@testable import TLSRecords

/// The example of RFC 8448 section 3, a handshake with TLS_AES_128_GCM_SHA256.
enum RFC8448 {
    static let clientSecret = bytes("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")
    static let serverSecret = bytes("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")
    /// What the client sends first, and what is in it.
    static let record = bytes(
        "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a62"
            + "92a2977014bd1e3deae63aeebb21694915e4")
    static let payload = [UInt8](0..<50)

    static func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
}

@Suite("Keys of records")
struct KeyTests {
    private func expand(_ function: HashFunction, _ secret: [UInt8], _ label: StaticString, _ count: Int) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        let isDone = output.withUnsafeMutableBytes { output in
            secret.withUnsafeBytes { KeyDerivation.expand(function, secret: $0, label, into: output) }
        }
        return isDone ? output : []
    }

    @Test("keys and nonces are those of RFC 8448")
    func vectors() {
        #expect(expand(.sha256, RFC8448.serverSecret, "key", 16) == RFC8448.bytes("9f02283b6c9c07efc26bb9f2ac92e356"))
        #expect(expand(.sha256, RFC8448.serverSecret, "iv", 12) == RFC8448.bytes("cf782b88dd83549aadf1e984"))
        #expect(expand(.sha256, RFC8448.clientSecret, "key", 16) == RFC8448.bytes("17422dda596ed5d9acd890e3c63f5051"))
        #expect(expand(.sha256, RFC8448.clientSecret, "iv", 12) == RFC8448.bytes("5b78923dee08579033e523d9"))
    }

    @Test("the early secret is that of RFC 8448, and so is the handshake's")
    func schedule() {
        let prefix = Array("tls13 ".utf8), label = Array("derived".utf8)
        func extract(_ previous: [UInt8]?, _ input: [UInt8]?) -> [UInt8] {
            var output = [UInt8](repeating: 0, count: 32)
            let isDone = output.withUnsafeMutableBytes { output in
                (previous ?? []).withUnsafeBytes { old in
                    (input ?? []).withUnsafeBytes { input2 in
                        prefix.withUnsafeBytes { prefix in
                            label.withUnsafeBytes { label in
                                output.baseAddress.map {
                                    KeyDerivation.extract(
                                        .sha256, previous: previous == nil ? nil : old,
                                        input: input == nil ? nil : input2, prefix: prefix, label: label, into: $0)
                                } ?? false
                            }
                        }
                    }
                }
            }
            return isDone ? output : []
        }
        let early = extract(nil, nil)
        #expect(early == RFC8448.bytes("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"))
        let shared = RFC8448.bytes("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
        let handshake = extract(early, shared)
        #expect(handshake == RFC8448.bytes("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"))
        #expect(
            extract(handshake, nil) == RFC8448.bytes("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919")
        )
    }

    @Test("lengths that TLS 1.3 does not have are refused")
    func lengths() {
        var output = [UInt8](repeating: 0, count: 255 * 32 + 1)
        let secret = [UInt8](repeating: 1, count: 32), long = [UInt8](repeating: 2, count: 256)
        let isLong = output.withUnsafeMutableBytes { output in
            secret.withUnsafeBytes { KeyDerivation.expand(.sha256, secret: $0, "key", into: output) }
        }
        #expect(!isLong)
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let hasLongLabel = output.withUnsafeMutableBytes { output in
            secret.withUnsafeBytes { secret in
                long.withUnsafeBytes { long in
                    KeyDerivation.expand(
                        .sha256, secret: secret, prefix: none, label: long, context: none,
                        into: UnsafeMutableRawBufferPointer(rebasing: output[0..<32]))
                }
            }
        }
        #expect(!hasLongLabel)
    }
}
