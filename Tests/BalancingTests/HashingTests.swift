import Balancing
import Testing

@Suite("Tags and keys")
struct HashingTests {
    @Test(
        "the tag of an address never changes: it is written into ids",
        arguments: [
            ("mcp-1:3001", 0xF7C1_B4D7_3CDB_A86F), ("10.0.0.4:8080", 0xA8AA_B585_8043_8E84),
            ("[::1]:80", 0x83E0_6C9F_7B26_F3DA), ("", 0xC381_7C01_6BA4_FF30),
        ] as [(String, UInt64)])
    func goldenTags(_ address: String, _ tag: UInt64) {
        #expect(ServerTag.tag(of: address) == tag)
        let bytes = Array(address.utf8)
        let same = ServerTag.tag(of: bytes.span)
        #expect(same == tag)
    }

    @Test("addresses that differ have tags that differ")
    func distinctTags() {
        let addresses = (0..<100).flatMap { host in (3000..<3100).map { "mcp-\(host):\($0)" } }
        #expect(Set(addresses.map { ServerTag.tag(of: $0) }).count == addresses.count)
    }

    @Test("all of an IPv4 address counts, however the other bytes stand")
    func ipv4() {
        let keys = Set(
            (0..<10_000 as Range<UInt64>).map { AddressKey.key(high: 0, low: 0x0A00_0000 | $0, isIPv4: true) })
        #expect(keys.count == 10_000)
        #expect(
            AddressKey.key(high: 0, low: 0xFFFF_0A00_0001, isIPv4: true)
                == AddressKey.key(high: 9, low: 0x0A00_0001, isIPv4: true))
    }

    @Test("of an IPv6 address the network counts and the host does not")
    func ipv6() {
        let network: UInt64 = 0x2001_0DB8_0000_0001
        #expect(
            AddressKey.key(high: network, low: 1, isIPv4: false) == AddressKey.key(high: network, low: 2, isIPv4: false)
        )
        #expect(
            AddressKey.key(high: network, low: 1, isIPv4: false)
                != AddressKey.key(high: network + 1, low: 1, isIPv4: false))
        #expect(AddressKey.key(high: 5, low: 0, isIPv4: false) != AddressKey.key(high: 0, low: 5, isIPv4: true))
    }

    @Test("a change of one bit changes about half of the key")
    func avalanche() {
        for bit in 0..<32 {
            let one = AddressKey.key(high: 0, low: 0x0A00_0001, isIPv4: true)
            let other = AddressKey.key(high: 0, low: 0x0A00_0001 ^ 1 << UInt64(bit), isIPv4: true)
            #expect((16...48).contains((one ^ other).nonzeroBitCount))
        }
    }
}
