import CLinux
import Glibc
import Kernel
import Testing

@Suite("Socket address")
struct SocketAddressTests {
    @Test(
        "literals are parsed, and printed in their shortest form",
        arguments: [
            ("127.0.0.1", "127.0.0.1:80"), ("0.0.0.0", "0.0.0.0:80"), ("255.255.255.255", "255.255.255.255:80"),
            ("10.1.2.3", "10.1.2.3:80"), ("::1", "[::1]:80"), ("::", "[::]:80"), ("2001:DB8::1", "[2001:db8::1]:80"),
            ("2001:db8:0:0:0:0:0:1", "[2001:db8::1]:80"), ("fe80::1:2:3:4", "[fe80::1:2:3:4]:80"),
            ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:80"), ("::ffff:10.1.2.3", "10.1.2.3:80"),
            ("::ffff:a01:203", "10.1.2.3:80"), ("::fffe:10.1.2.3", "[::fffe:a01:203]:80"),
        ])
    func literals(text: String, printed: String) throws {
        let address = try #require(SocketAddress(literal: text, port: 80))

        #expect(address.description == printed)
        #expect(SocketAddress(literal: address.host, port: 80) == address)
        #expect(address.isIPv4 == !printed.hasPrefix("["))
    }

    @Test(
        "text that is no literal is refused",
        arguments: [
            "", "localhost", "127.0.0", "127.0.0.1.1", "256.0.0.1", "127.1", "0x7f.0.0.1", "127.0.0.1 ", " 127.0.0.1",
            "127.0.0.1:80", "[::1]", ":::", "1:2:3:4:5:6:7", "1::2::3", "12345::", "::1%", "127.0.0.1\0", "::1\0x",
        ])
    func refusals(text: String) {
        #expect(SocketAddress(literal: text, port: 80) == nil)
    }

    @Test(
        "an address is converted to the kernel's form and back",
        arguments: ["127.0.0.1", "1.2.3.4", "::1", "2001:db8::ff:1"])
    func storage(text: String) throws {
        let address = try #require(SocketAddress(literal: text, port: 0x1234))
        let (storage, length) = address.storage

        #expect(SocketAddress(storage) == address)
        #expect(Int32(storage.ss_family) == (address.isIPv4 ? AF_INET : AF_INET6))
        #expect(Int(length) == (address.isIPv4 ? 16 : 28))
    }

    @Test("an IPv4 address mapped to IPv6 equals the IPv4 address")
    func mapped() throws {
        let mapped = try #require(SocketAddress(literal: "::ffff:127.0.0.1", port: 5))

        #expect(mapped == .loopback(port: 5))
        #expect(mapped.hashValue == SocketAddress.loopback(port: 5).hashValue)
        #expect(mapped != .loopback(port: 6))
    }

    @Test("an address of another family than IPv4 and IPv6 is nil")
    func otherFamily() {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)

        #expect(SocketAddress(storage) == nil)
    }

    @Test("literals resolve to themselves, names to their addresses, invalid names to nothing")
    func resolving() {
        #expect(SocketAddress.resolve(host: "10.9.8.7", port: 1) == [.ipv4(0x0a09_0807, port: 1)])
        #expect(SocketAddress.resolve(host: "localhost", port: 1).contains { $0 == .loopback(port: 1) || $0.low == 1 })
        #expect(SocketAddress.resolve(host: "no such host", port: 1) == [])
    }
}
