import Testing

@testable import Proxy

/// Every idle connection and stream pays for each byte of its slots: a field more is a decision.
@Suite("Sizes of what a connection and a call take")
struct SlotSizesTests {
    @Test("a client takes 128 bytes, an exchange 168, a server's connection 104")
    func sizes() {
        #expect(MemoryLayout<ClientConnection>.size <= 128)
        #expect(MemoryLayout<Exchange>.size <= 168)
        #expect(MemoryLayout<UpstreamConnection>.size <= 104)
    }
}
