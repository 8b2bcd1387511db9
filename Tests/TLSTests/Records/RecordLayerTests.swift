import TestSupport
import Testing

@testable import TLSRecords

@Suite("The record layer")
struct RecordLayerTests {
    private func pair(_ suite: RecordSuite, seed: UInt64 = 1, recordsSent: UInt64 = 0) throws -> RecordPair {
        var random = SeededGenerator(seed: seed)
        let secrets = (random.bytes(suite.hash.count), random.bytes(suite.hash.count))
        return try #require(RecordPair(suite, client: secrets.0, server: secrets.1, recordsSent: recordsSent))
    }

    /// The description of the alert that is in what was sent.
    private func alert(_ pair: RecordPair, _ sent: [UInt8]) -> String {
        _ = pair.receive(.client, sent)
        return pair.reason
    }

    @Test("the record of RFC 8448 is opened, in any two pieces")
    func vector() throws {
        for cut in 0..<RFC8448.record.count {
            let pair = try #require(
                RecordPair(.aes128, client: RFC8448.clientSecret, server: RFC8448.serverSecret))
            let first = pair.receive(.server, Array(RFC8448.record[..<cut]))
            #expect(first.progress == .open && first.data.isEmpty)
            let second = pair.receive(.server, Array(RFC8448.record[cut...]))
            #expect(second.data == RFC8448.payload && second.sent.isEmpty, "cut at \(cut)")
            #expect(pair.serverKeepsBytes == 0)
        }
    }

    @Test("data goes both ways in pieces of any size", arguments: RecordSuite.allCases, 1...6 as ClosedRange<UInt64>)
    func data(suite: RecordSuite, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pair = try pair(suite, seed: seed)
        for _ in 0..<40 {
            for (sender, receiver) in [(RecordPair.End.client, RecordPair.End.server), (.server, .client)] {
                let data = random.bytes(Int.random(in: 1...40_000, using: &random))
                var bytes = pair.send(sender, data)[...]
                var received: [UInt8] = []
                while !bytes.isEmpty {
                    let count = min(bytes.count, Int.random(in: 1...20_000, using: &random))
                    let outcome = pair.receive(receiver, Array(bytes.prefix(count)))
                    #expect(outcome.progress == .open)
                    received += outcome.data
                    bytes = bytes.dropFirst(count)
                }
                #expect(received == data)
            }
        }
    }

    @Test(
        "any changed bit of a record ends the connection, and nothing of it is delivered",
        arguments: RecordSuite.allCases)
    func tampering(suite: RecordSuite) throws {
        for byte in 5..<40 {
            for bit in 0..<8 {
                let pair = try pair(suite)
                var record = pair.send(.client, Array("attack at dawn".utf8))
                guard byte < record.count else { continue }
                record[byte] ^= 1 << UInt8(bit)
                let outcome = pair.receive(.server, record)
                #expect(outcome.progress == .failed && outcome.data.isEmpty)
                #expect(alert(pair, outcome.sent) == "alert 20 of the peer")
            }
        }
    }

    @Test("records out of order, twice or left out are none")
    func order() throws {
        for change in 0..<3 {
            let pair = try pair(.aes256)
            let records = (0..<3).map { pair.send(.client, [UInt8($0)]) }
            let bytes = [records[1] + records[0], records[0] + records[0], records[0] + records[2]][change]
            let outcome = pair.receive(.server, bytes)
            #expect(outcome.progress == .failed && outcome.data == (change == 0 ? [] : [0]))
            #expect(alert(pair, outcome.sent) == "alert 20 of the peer")
        }
    }

    @Test(
        "headers that may not be are refused at once with their alert",
        arguments: [
            ([20, 3, 3, 0, 1, 1], 10), ([21, 3, 3, 0, 2, 2, 40], 10), ([22, 3, 3, 0, 5], 10), ([24, 3, 3, 0, 20], 10),
            ([23, 3, 3, 0x41, 0x01], 22), ([23, 3, 3, 0xff, 0xff], 22), ([23, 3, 3, 0, 16], 20),
            ([23, 3, 3, 0, 0], 20),
            ([22], 10), ([23, 3, 1, 0, 20], 50), ([23, 3, 4, 0, 20], 50), ([23, 2, 0, 0, 20], 70),
            ([71, 69, 84, 32, 47], 70),
        ] as [([UInt8], Int)])
    func headers(bytes: [UInt8], code: Int) throws {
        let pair = try pair(.aes256)
        let outcome = pair.receive(.server, bytes)
        #expect(outcome.progress == .failed)
        #expect(alert(pair, outcome.sent) == "alert \(code) of the peer")
        // The same byte by byte.
        let other = try self.pair(.aes256)
        var progress = RecordProgress.open
        for byte in bytes where progress == .open { progress = other.receive(.server, [byte]).progress }
        #expect(progress == .failed)
    }

    @Test("a record of the longest length is taken, a longer one is not")
    func longest() throws {
        let pair = try pair(.aes128)
        let data = [UInt8](repeating: 7, count: 16_384)
        #expect(pair.receive(.server, pair.raw(23, data)).data == data)
        #expect(pair.receive(.server, pair.raw(23, data, padding: 200)).data == data)
        let outcome = pair.receive(.server, pair.raw(23, data + [1]))
        #expect(outcome.progress == .failed && outcome.data.isEmpty)
        #expect(alert(pair, outcome.sent) == "alert 22 of the peer")
    }

    @Test("padding is taken off, and a record of nothing but zeros is none")
    func padding() throws {
        let pair = try pair(.chaCha20)
        for padding in [1, 17, 1_000, 16_000] {
            #expect(pair.receive(.server, pair.raw(23, [1, 2, 3], padding: padding)).data == [1, 2, 3])
        }
        let outcome = pair.receive(.server, pair.raw(0, [0, 0], padding: 5))
        #expect(outcome.progress == .failed)
        #expect(alert(pair, outcome.sent) == "alert 10 of the peer")
    }

    @Test("records without data are borne, a flood of them is not; data ends the count")
    func empty() throws {
        let pair = try pair(.aes256)
        for round in 0..<3 {
            for _ in 0..<32 { #expect(pair.receive(.server, pair.raw(23, [])).progress == .open, "round \(round)") }
            #expect(pair.receive(.server, pair.raw(23, [9])).data == [9])
        }
        for _ in 0..<32 { #expect(pair.receive(.server, pair.raw(23, [])).progress == .open) }
        #expect(pair.receive(.server, pair.raw(23, [])).progress == .failed)
    }

    @Test("messages of the handshake that a client may not send end the connection")
    func messages() throws {
        let bad: [([UInt8], Int)] = [
            ([4, 0, 0, 1, 0], 10), ([1, 0, 0, 0], 10), ([24, 0, 0, 1, 2], 47), ([24, 0, 0, 2, 0], 47),
            ([24, 0, 0, 1, 0, 0], 10), ([24, 0, 0, 0], 50), ([24, 0xff, 0xff, 0xff], 47), ([24, 0, 0, 2, 0, 0], 47),
            ([24, 0, 0, 1, 0, 24, 0, 0, 1, 0], 10), ([], 10),
        ]
        for (message, code) in bad {
            let pair = try pair(.aes256)
            let outcome = pair.receive(.server, pair.raw(22, message))
            #expect(outcome.progress == .failed && outcome.data.isEmpty)
            #expect(alert(pair, outcome.sent) == "alert \(code) of the peer", "\(message)")
        }
    }

    @Test("KeyUpdate is taken, also in two records, and answered if that is asked for", arguments: RecordSuite.allCases)
    func keyUpdate(suite: RecordSuite) throws {
        let pair = try pair(suite)
        for round in 1...5 as ClosedRange<UInt32> {
            let first = pair.receive(.server, pair.raw(22, [24, 0]) + pair.raw(22, [0, 1, UInt8(round & 1)]))
            pair.updateKeyOfClient()
            #expect(first.progress == .open && pair.serverReadGeneration == round)
            #expect(pair.receive(.server, pair.send(.client, [1, 2])).data == [1, 2])
            if round & 1 == 1 { #expect(pair.receive(.client, first.sent).progress == .open) }
            #expect(pair.serverWriteGeneration == (round + 1) / 2)
            #expect(pair.receive(.client, pair.send(.server, [3])).data == [3])
        }
        // Data within one is none.
        #expect(pair.receive(.server, pair.raw(22, [24, 0]) + pair.raw(23, [1])).progress == .failed)
    }

    @Test("a flood of KeyUpdates ends the connection")
    func keyUpdateFlood() throws {
        let pair = try pair(.aes256)
        var count = 0
        while count < 100, pair.receive(.server, pair.raw(22, [24, 0, 0, 1, 1])).progress == .open {
            pair.updateKeyOfClient()
            count += 1
        }
        #expect(count == 32)
    }

    @Test("our own key changes before it has encrypted too many records")
    func ownKeyUpdate() throws {
        let pair = try pair(.aes256, recordsSent: TrafficKeys.recordsPerKey - 2)
        for number in 0..<5 as Range<UInt8> {
            #expect(pair.receive(.client, pair.send(.server, [number])).data == [number])
        }
        #expect(pair.serverWriteGeneration == 1)
    }

    @Test("close_notify is the end of what is read, and other alerts are failures; user_canceled is neither")
    func alerts() throws {
        let pair = try pair(.aes256)
        #expect(pair.receive(.server, pair.raw(21, [1, 90])).progress == .open)
        let outcome = pair.receive(.server, pair.send(.client, [5]) + pair.closeNotify(.client))
        #expect(outcome.progress == .closed && outcome.data == [5] && outcome.sent.isEmpty)
        #expect(pair.receive(.client, pair.send(.server, [6])).data == [6])
        #expect(pair.receive(.client, pair.closeNotify(.server)).progress == .closed)
        for alert in [[2, 40], [1, 10], [2, 0xff]] as [[UInt8]] {
            let other = try self.pair(.aes256)
            let outcome = other.receive(.server, other.raw(21, alert))
            #expect(outcome.progress == .failed && outcome.sent.isEmpty)
        }
        let cut = try self.pair(.aes256)
        #expect(cut.receive(.server, cut.raw(21, [1])).progress == .failed)
    }

    @Test("memory for a part of a record grows with what has come")
    func partial() throws {
        let pair = try pair(.aes256)
        let record = pair.send(.client, [UInt8](repeating: 1, count: 16_384))
        #expect(pair.receive(.server, Array(record[..<100])).progress == .open)
        #expect(pair.serverKeepsBytes <= 200)
        #expect(pair.receive(.server, Array(record[100..<5_000])).progress == .open)
        #expect(pair.serverKeepsBytes <= 10_000)
        #expect(pair.receive(.server, Array(record[5_000...])).data.count == 16_384)
        #expect(pair.serverKeepsBytes == 0)
    }
}
