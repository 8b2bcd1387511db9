import TLS
import Testing

@Suite("Message authenticator")
struct MessageAuthenticatorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let key: [UInt8]
        let message: [UInt8]
        let tag: (UInt64, UInt64)
        var testDescription: String { "\(message.count) bytes" }
    }

    /// RFC 4231 section 4, test cases 1 to 5: keys of at most a block.
    static let vectors = [
        Vector(
            key: .init(repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            tag: (0xb034_4c61_d8db_3853, 0x5ca8_afce_af0b_f12b)),
        Vector(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            tag: (0x5bdc_c146_bf60_754e, 0x6a04_2426_0895_75c7)),
        Vector(
            key: .init(repeating: 0xaa, count: 20), message: .init(repeating: 0xdd, count: 50),
            tag: (0x773e_a91e_3680_0e46, 0x854d_b8eb_d091_81a7)),
        Vector(
            key: Array(1...25), message: .init(repeating: 0xcd, count: 50),
            tag: (0x8255_8a38_9a44_3c0e, 0xa4cc_8198_99f2_083a)),
        Vector(
            key: .init(repeating: 0x0c, count: 20), message: Array("Test With Truncation".utf8),
            tag: (0xa3b6_1674_7310_0ee0, 0x6e0c_796c_2955_552b)),
    ]

    @Test("tags are those of RFC 4231, wherever the message is split in two", arguments: vectors)
    func standard(_ vector: Vector) {
        let authenticator = MessageAuthenticator(key: vector.key)
        for cut in 0...vector.message.count {
            let (first, second) = (Array(vector.message[..<cut]), Array(vector.message[cut...]))
            let tag = authenticator.tag(first.span, second.span)
            #expect(tag == vector.tag)
        }
    }

    @Test("a change in any bit of the message or the key changes the tag")
    func changes() {
        let (key, message) = ([UInt8](repeating: 5, count: 32), [UInt8](repeating: 6, count: 70))
        let nothing: [UInt8] = []
        let tag = MessageAuthenticator(key: key).tag(message.span, nothing.span)
        for bit in 0..<(70 * 8) {
            var changed = message
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let other = MessageAuthenticator(key: key).tag(changed.span, nothing.span)
            #expect(!MessageAuthenticator.matches(other, tag))
        }
        for bit in 0..<(32 * 8) {
            var changed = key
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let other = MessageAuthenticator(key: changed).tag(message.span, nothing.span)
            #expect(!MessageAuthenticator.matches(other, tag))
        }
    }

    @Test("only equal tags match")
    func matching() {
        let tag: (UInt64, UInt64) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)
        #expect(MessageAuthenticator.matches(tag, tag))
        for bit in 0..<64 {
            #expect(!MessageAuthenticator.matches((tag.0 ^ 1 << bit, tag.1), tag))
            #expect(!MessageAuthenticator.matches((tag.0, tag.1 ^ 1 << bit), tag))
            #expect(!MessageAuthenticator.matches((tag.0 ^ 1 << bit, tag.1 ^ 1 << bit), tag))
        }
    }

    @Test("many threads can use one authenticator at the same time")
    func threads() async {
        let authenticator = MessageAuthenticator(key: [UInt8](repeating: 9, count: 32))
        let message = [UInt8](repeating: 3, count: 64)
        let expected = authenticator.tag(message.span, message.span)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<5_000).allSatisfy { _ in authenticator.tag(message.span, message.span) == expected }
                }
            }
            for await agreed in group { #expect(agreed) }
        }
    }
}
