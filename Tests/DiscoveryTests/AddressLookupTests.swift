import Kernel
import TestSupport
import Testing

@testable import Discovery

/// Which servers follow from what name servers answer.
@Suite("Servers by DNS")
struct AddressLookupTests {
    private static let one = SocketAddress.ipv4(0x0a00_0001, port: 0)
    private static let two = SocketAddress.ipv4(0x0a00_0002, port: 0)
    private static let six = SocketAddress(literal: "fd00::1", port: 0) ?? one

    /// A lookup that is answered from a table by "A mcp.test" and the like; what is not in it does not exist.
    private func lookup(_ answers: [String: Result<DNSMessage, DNSQuery.Failure>]) -> AddressLookup {
        AddressLookup { name, kind in answers["\(kind) \(name)".lowercased()] ?? .failure(.notFound) }
    }

    private func message(
        _ addresses: [SocketAddress], ttl: UInt32 = 5
    ) -> Result<DNSMessage, DNSQuery.Failure> {
        .success(
            DNSMessage(
                records: addresses.map { DNSMessage.Record(name: "mcp.test", ttl: ttl, content: .address($0)) }))
    }

    private func names(_ result: Result<DiscoveryAnswer, DiscoveryFailure>) -> [String] {
        (try? result.get())?.servers.map(\.name) ?? []
    }

    @Test("every address of both kinds is a server; the shortest TTL holds for all")
    func both() throws {
        let answer = try lookup([
            "a mcp.test": message([Self.one, Self.two, Self.one], ttl: 20),
            "aaaa mcp.test": message([Self.six], ttl: 7),
        ]).servers(of: "mcp.test", port: 3_001).get()
        #expect(answer.servers.map(\.name) == ["10.0.0.1:3001", "10.0.0.2:3001", "[fd00::1]:3001"])
        #expect(answer.ttl == .seconds(7) && answer.unanswered.isEmpty)
        #expect(answer.servers.allSatisfy { $0.certificateName == "mcp.test" })
    }

    @Test("a kind that is not answered is missing, and what is known of it may stay")
    func oneKind() throws {
        let answer = try lookup(["a mcp.test": message([Self.one]), "aaaa mcp.test": .failure(.timedOut)])
            .servers(of: "mcp.test", port: 1).get()
        #expect(answer.unanswered == ["AAAA"] && answer.problem?.reason == .timeout)
        let none = try lookup(["a mcp.test": message([Self.one]), "aaaa mcp.test": .failure(.noRecords)])
            .servers(of: "mcp.test", port: 1).get()
        #expect(none.unanswered.isEmpty && none.problem == nil)
    }

    @Test(
        "without an address there is a failure that says why",
        arguments: [
            (DNSQuery.Failure.notFound, DNSQuery.Failure.notFound, DiscoveryFailure.Reason.notFound),
            (.noRecords, .notFound, .empty), (.noRecords, .noRecords, .empty), (.timedOut, .noRecords, .timeout),
            (.noRecords, .truncated, .truncated), (.refused, .timedOut, .refused), (.malformed, .notFound, .malformed),
            (.unreachable, .unreachable, .unreachable),
        ])
    func failures(four: DNSQuery.Failure, six: DNSQuery.Failure, expected: DiscoveryFailure.Reason) {
        let result = lookup(["a mcp.test": .failure(four), "aaaa mcp.test": .failure(six)])
            .servers(of: "mcp.test", port: 1)
        #expect(throws: DiscoveryFailure(expected)) { try result.get() }
    }

    @Test(
        "addresses that can be no server's are left out",
        arguments: ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "fe80::1"])
    func unusable(address: String) throws {
        let address = try #require(SocketAddress(literal: address, port: 0))
        let kind = address.isIPv4 ? "a mcp.test" : "aaaa mcp.test"
        #expect(throws: DiscoveryFailure(.empty)) {
            try lookup([kind: message([address])]).servers(of: "mcp.test", port: 1).get()
        }
        #expect(names(lookup([kind: message([address, Self.two])]).servers(of: "mcp.test", port: 1)) == ["10.0.0.2:1"])
    }

    // MARK: Services

    private func services(_ services: [DNSService], beside: [(String, SocketAddress)] = []) -> DNSMessage {
        var records = services.map {
            DNSMessage.Record(
                name: "_mcp._tcp.mcp.test", ttl: 9,
                content: .service(priority: $0.priority, weight: $0.weight, port: $0.port, target: $0.target))
        }
        records += beside.map {
            DNSMessage.Record(name: $0.0, ttl: 4, isAdditional: true, content: .address($0.1))
        }
        return DNSMessage(records: records)
    }

    @Test(
        "targets are servers with the addresses that came along, or those that are asked for; later priorities are backups"
    )
    func targets() throws {
        let found = services(
            [
                DNSService(priority: 1, weight: 10, port: 80, target: "h1.test"),
                DNSService(priority: 1, weight: 30, port: 81, target: "h2.test"),
                DNSService(priority: 2, weight: 10, port: 82, target: "h3.test"),
                DNSService(port: 0, target: "h4.test"), DNSService(port: 9, target: ""),
            ], beside: [("h1.test", Self.one), ("h1.test", Self.six), ("unasked.test", Self.two)])
        let answer = try lookup([
            "srv _mcp._tcp.mcp.test": .success(found), "a h2.test.": message([Self.two], ttl: 3),
            "a h3.test.": message([Self.two]),
        ]).servers(ofService: "_mcp._tcp.mcp.test").get()
        #expect(answer.servers.map(\.name) == ["10.0.0.1:80", "[fd00::1]:80", "10.0.0.2:81", "10.0.0.2:82"])
        #expect(answer.servers.map(\.isBackup) == [false, false, false, true])
        #expect(answer.servers.map(\.weight) == [10, 10, 30, 10])
        #expect(answer.ttl == .seconds(3))
        #expect(answer.servers.allSatisfy { $0.certificateName == "mcp.test" }, "not what a forged answer names")
    }

    @Test("a target that is not answered keeps its own servers only")
    func missingTarget() throws {
        let found = services([DNSService(port: 80, target: "h1.test"), DNSService(port: 80, target: "h2.test")])
        let answer = try lookup([
            "srv _mcp._tcp.mcp.test": .success(found), "a h1.test.": message([Self.one]),
            "a h2.test.": .failure(.refused),
        ]).servers(ofService: "_mcp._tcp.mcp.test").get()
        #expect(answer.servers.map(\.name) == ["10.0.0.1:80"] && answer.unanswered == ["h2.test:80"])
    }

    @Test("a service that is not to be had is a failure")
    func noService() {
        let root = services([DNSService(port: 1, target: "")])
        let lookup = lookup(["srv _mcp._tcp.mcp.test": .success(root)])
        #expect(throws: DiscoveryFailure(.empty)) { try lookup.servers(ofService: "_mcp._tcp.mcp.test").get() }
        #expect(throws: DiscoveryFailure(.notFound)) { try lookup.servers(ofService: "_x._tcp.mcp.test").get() }
    }

    @Test("weights are shares; equal ones are 1 each, large ones are scaled, and none is less than 1")
    func weights() {
        #expect(AddressLookup.weights([]) == [])
        #expect(AddressLookup.weights([33, 33, 33]) == [1, 1, 1])
        #expect(AddressLookup.weights([0, 10, 20]) == [1, 10, 20])
        #expect(AddressLookup.weights([65_535, 1, 32_768]) == [1_000, 1, 500])
    }
}
