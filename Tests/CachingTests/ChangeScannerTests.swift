import Caching
import TestSupport
import Testing

@Suite("Changes that servers tell in event streams")
struct ChangeScannerTests {
    private static let stream =
        ": ping\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"
        + "data: {\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[{\"text\":\"notifications/prompts/list_changed\"}]}}\n\n"
        + "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications\\/resources\\/updated\",\"params\":{\"uri\":\"file:\\/\\/a\"}}\r\n\r\n"
        + "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/list_changed\",\"params\":{}}\r\r"
        + "data: {\"jsonrpc\":\"2.0\",\ndata: \"method\":\"notifications/prompts/list_changed\"}\n\n"
        + "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":7}}\n\n"
        + "data: {\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"notifications/tools/list_changed\"}\n\n"

    private static let changes: [ServerChange] = [
        .tools, .resource(Array("file://a".utf8)), .resources, .prompts, .someResource,
    ]

    @Test("the end of an event that is too long is seen across pieces", arguments: ["\n\n", "\r\n\r\n", "\r\r"])
    func longEvent(blank: String) {
        let long = "data: " + String(repeating: "x", count: 20_000)
        let change = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"
        let bytes = Array((long + blank + change).utf8)
        for cut in 19_990..<20_030 {
            for other in cut..<min(cut + 4, bytes.count) {
                var scanner = ChangeScanner()
                var found = scanner.scan(Array(bytes[..<cut]).span)
                found += scanner.scan(Array(bytes[cut..<other]).span)
                found += scanner.scan(Array(bytes[other...]).span)
                #expect(found == [.tools], "cut at \(cut) and \(other)")
                #expect(scanner.isIdle)
            }
        }
    }

    @Test("are found in pieces of any size", arguments: 1...200 as ClosedRange<UInt64>)
    func pieces(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var scanner = ChangeScanner()
        var found: [ServerChange] = []
        let bytes = Array(Self.stream.utf8)
        var position = 0
        while position < bytes.count {
            let count = seed == 1 ? bytes.count : min(bytes.count - position, Int(random.next() % 40) + 1)
            found += scanner.scan(Array(bytes[position..<position + count]).span)
            position += count
        }
        #expect(found == Self.changes)
        #expect(scanner.isIdle)
    }

    @Test("an event that is too long is passed over, and what follows is found; nothing grows")
    func long() {
        for piece in [1_000, 100_000] {
            var scanner = ChangeScanner()
            var found: [ServerChange] = []
            let long = [UInt8](repeating: UInt8(ascii: "x"), count: piece)
            found += scanner.scan(Array("data: ".utf8).span)
            for _ in 0..<(200_000 / piece) { found += scanner.scan(long.span) }
            found += scanner.scan(Array("\n\n\(Self.stream)".utf8).span)
            #expect(found == Self.changes, "\(piece)")
            #expect(scanner.isIdle)
        }
    }

    @Test("of a stream without an end of events only so much is kept", arguments: 1...20 as ClosedRange<UInt64>)
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var scanner = ChangeScanner()
        for _ in 0..<500 {
            let piece = (0..<random.next() % 300).map { _ in
                [10, 13, 100, 58, 123, 92, 34][Int(random.next() % 7)] as UInt8
            }
            _ = scanner.scan(piece.span)
        }
        #expect(MemoryLayout<ChangeScanner>.size <= 16)
    }
}
