import Kernel
import Testing

@testable import RateLimiting

/// The arithmetic of rates.
@Suite("Request rates")
struct RequestRateTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("without a burst as many may come at once as in the whole time")
    func bursts() {
        #expect(RequestRate(30, per: 60).burst == 30)
        #expect(RequestRate(30, per: 60, burst: 10).burst == 10)
        #expect(RequestRate(6, per: 3_600, burst: 1).burst == 1)
        #expect(RequestRate(1, per: 86_400, burst: 1_000_000).burst == 366, "a year of them")
        #expect(RequestRate(30, per: 60, burst: 10).recoverySeconds == 20)
        #expect(RequestRate(100, per: 1, burst: 1).recoverySeconds == 1, "rounded up")
    }

    @Test("what a store is told, and what it answers, is in microseconds, and no number of its makes trouble")
    func microseconds() {
        let rate = RequestRate(30, per: 60, burst: 10)
        #expect(RequestRate.microseconds(ofTicks: rate.time(of: 1)) == 2_000_000)
        #expect(RequestRate.microseconds(ofTicks: -rate.time(of: 3)) == -6_000_000)
        #expect(rate.time(of: .max) == Int64(rate.window) && rate.time(of: 0) == rate.time(of: 1))
        #expect(RequestRate.microseconds(ofTicks: 31) == 0 && RequestRate.microseconds(ofTicks: 32) == 1)
        #expect(RequestRate.ticks(ofMicroseconds: 2_000_000) == rate.interval)
        for number in [Int64.min, -1, 0] { #expect(RequestRate.ticks(ofMicroseconds: number) == 0) }
        #expect(RequestRate.ticks(ofMicroseconds: .max) == RequestRate.longestTicks)
        #expect(RequestRate.microseconds(ofTicks: .max) == 2 * 366 * 86_400_000_000)
        #expect(RequestRate.microseconds(ofTicks: .min) == -2 * 366 * 86_400_000_000)
        #expect(rate.longestBacklog == 2 * rate.window + 64 * rate.interval)
        #expect(RequestRate(1, per: 366 * 86_400).longestBacklog == RequestRate.longestTicks)
    }

    @Test(
        "a burst, then one in each interval",
        arguments: [(30, 60, 10), (100, 1, 100), (6, 3_600, 2), (1, 1, 1), (100_000, 1, 5), (7, 60, 3)])
    func steady(count: Int, seconds: Int, burst: Int) throws {
        let table = try RateTable(capacity: 64)
        let rate = RequestRate(count, per: seconds, burst: burst)
        let start = 1_000 * Self.second
        for index in 0..<burst {
            #expect(table.take(7, rate, now: start) == .allowed(remaining: burst - 1 - index))
        }
        guard case .refused(let wait) = table.take(7, rate, now: start) else {
            Issue.record("more than a burst")
            return
        }
        let interval = UInt64(seconds) * Self.second / UInt64(count)
        #expect(wait <= interval && wait + 32 >= interval, "\(wait) of \(interval)")
        #expect(table.take(7, rate, now: start + wait - 32) != .allowed(remaining: 0))
        #expect(table.take(7, rate, now: start + wait) == .allowed(remaining: 0))
        // What was refused did not count.
        for _ in 0..<100 { _ = table.take(7, rate, now: start + wait) }
        #expect(table.take(7, rate, now: start + 2 * wait) == .allowed(remaining: 0))
    }

    @Test("several at once count as several, and more than a burst never go")
    func several() throws {
        let table = try RateTable(capacity: 64)
        let rate = RequestRate(10, per: 10)
        #expect(table.take(1, rate, now: 0, count: 11) == .refused(nanoseconds: .max))
        #expect(table.take(1, rate, now: 0, count: 4) == .allowed(remaining: 6))
        #expect(table.take(1, rate, now: 0, count: 7) == .refused(nanoseconds: Self.second))
        #expect(table.take(1, rate, now: 0, count: 6) == .allowed(remaining: 0))
        #expect(table.take(1, rate, now: 0, count: .max) == .refused(nanoseconds: .max))
        table.refund(1, rate, count: 5)
        #expect(table.take(1, rate, now: 0, count: 5) == .allowed(remaining: 0))
        table.refund(1, rate, count: .max)
        table.refund(2, rate)
    }

    @Test("a key pays for itself alone, and so does every number")
    func keys() throws {
        let table = try RateTable(capacity: 64)
        let rate = RequestRate(1, per: 60)
        for key: UInt64 in [0, 1, 4, .max, .max - 1] {
            #expect(table.take(key, rate, now: 5) == .allowed(remaining: 0), "\(key)")
            #expect(table.take(key, rate, now: 5) != .allowed(remaining: 0), "\(key)")
        }
    }

    /// SipHash-2-4 of the bytes 0, 1, 2 … with the key 0, 1 … 15: the vectors of its authors.
    @Test("the hash is SipHash-2-4")
    func vectors() {
        let expected: [Int: UInt64] = [
            0: 0x726f_db47_dd0e_0e31, 1: 0x74f8_39c5_93dc_67fd, 8: 0x93f5_f579_9a93_2462, 15: 0xa129_ca61_49be_45e5,
        ]
        for (count, hash) in expected {
            var hasher = KeyHasher(seed: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
            let text = (0..<count).map { UInt8($0) }
            hasher.combine(text.span)
            let found = hasher.finish()
            #expect(found == hash, "\(count)")
        }
    }

    /// The same of 128 bits; the bytes of each, as OpenSSL's `mac -macopt size:16 SIPHASH` prints them.
    @Test(
        "the wide hash is SipHash-2-4-128",
        arguments: [
            (0, 0xa381_7f04_ba25_a8e6, 0x6df6_7214_c755_0293), (1, 0xda87_c1d8_6b99_af44, 0x3476_5911_9b22_fc45),
            (7, 0xa1f1_ebbe_d8db_c153, 0xc0b8_4aa6_1ff0_8239), (8, 0x3b62_a9ba_6258_f561, 0x0f83_e264_f314_97b4),
            (15, 0x5493_e999_33b0_a811, 0x7e08_ec0f_97cf_c3d9), (16, 0x6ee2_a4ca_67b0_54bb, 0xfd33_15bf_8523_0577),
            (63, 0x5150_d177_2f50_834a, 0x503e_069a_973f_bd7c),
        ] as [(Int, UInt64, UInt64)])
    func wide(count: Int, first: UInt64, second: UInt64) {
        var hasher = KeyHasher.wide(seed: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        let text = (0..<count).map { UInt8($0) }
        hasher.combine(text.span)
        #expect(hasher.finishWide() == (first.byteSwapped, second.byteSwapped))
    }
}
