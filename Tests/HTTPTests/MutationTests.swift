import HTTP
import TestSupport
import Testing

@Suite("Mutated heads")
struct MutationTests {
    @Test("no mutation of a request traps, and pieces have the same result as the whole", arguments: [UInt64](1...8))
    func requests(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limits = HeadLimits(headBytes: 400, targetBytes: 40, fields: 6)
        let seeds = validHeads + faultyHeads.map(\.0)
        for round in 0..<400 {
            var bytes = latin1(seeds[Int.random(in: 0..<seeds.count, using: &random)])
            mutate(&bytes, using: &random)

            if case .complete(let count) = read(bytes, limits: limits).outcome {
                #expect(count <= bytes.count && count >= 18, "round \(round) of seed \(seed)")
            }
            expectSameInPieces(bytes, limits: limits)
        }
    }

    @Test("no mutation of a response traps, and pieces have the same result as the whole", arguments: [UInt64](1...8))
    func responses(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limits = HeadLimits(headBytes: 200, targetBytes: 40, fields: 6)
        for round in 0..<400 {
            let fields = responseTable[Int.random(in: 0..<responseTable.count, using: &random)].head
            var bytes = latin1(fields)
            mutate(&bytes, using: &random)

            if case .complete(let count) = read(response: bytes, limits: limits).outcome {
                #expect(count <= bytes.count && count >= 16, "round \(round) of seed \(seed)")
            }
            expectSameInPieces(response: bytes, answering: .get, limits: limits)
        }
    }

    /// Makes one to four small changes, mostly with bytes that are significant to a parser.
    private func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        let telling = latin1("\r\n \t:,;/\u{0}\u{7F}\u{80}_-05aZ%[]*#")
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let byte =
                Bool.random(using: &random)
                ? telling[Int.random(in: 0..<telling.count, using: &random)] : UInt8.random(in: 0...255, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes.insert(byte, at: place)
            case 2: bytes.remove(at: place)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...30, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
    }
}
