import Testing

@testable import Redis

@Suite("Commands")
struct CommandTests {
    private static let user = RedisCredentials(user: Array("berth".utf8), password: Array("p w".utf8))
    private static let password = RedisCredentials(user: [], password: Array("pw".utf8))

    @Test(
        "a command is an array of its words",
        arguments: [
            (.ping, "*1 $4 PING"),
            (.get(key: Array("k".utf8)), "*2 $3 GET $1 k"),
            (
                .set(key: Array("k".utf8), value: Array("v1".utf8), milliseconds: 1_500),
                "*5 $3 SET $1 k $2 v1 $2 PX $4 1500"
            ),
            (.set(key: [], value: [], milliseconds: 0), "*5 $3 SET $0  $0  $2 PX $1 1"),
            (.delete(key: Array("k".utf8)), "*2 $3 DEL $1 k"),
            (.expire(key: Array("k".utf8), milliseconds: 60_000), "*3 $7 PEXPIRE $1 k $5 60000"),
            (
                .advanceRate(RateScript.Call(high: 0x1234_abcd, low: .max, used: -5, most: 70_000)),
                "*6 $7 EVALSHA $40 \(RateScript.digest) $1 1 $45 berth:{000000001234abcdffffffffffffffff}:rate $2 -5 $5 70000"
            ),
            (.hello(nil), "*2 $5 HELLO $1 3"),
            (.hello(user), "*5 $5 HELLO $1 3 $4 AUTH $5 berth $3 p w"),
            (.hello(password), "*5 $5 HELLO $1 3 $4 AUTH $7 default $2 pw"),
            (.authenticate(user), "*3 $4 AUTH $5 berth $3 p w"),
            (.authenticate(password), "*2 $4 AUTH $2 pw"),
            (.select(12), "*2 $6 SELECT $2 12"),
        ] as [(RedisCommand, String)])
    func text(_ command: RedisCommand, _ expected: String) {
        var writer = CommandWriter()
        writer.write(command)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(text.hasSuffix("\r\n"))
        #expect(text.dropLast().replacing("\r\n", with: " ") == expected)
        let read = ReadReplies([writer.bytes])
        #expect(read.replies.count == 1 && read.rest == 0)
    }

    @Test("the script goes with a call that says so, and no time is longer than Lua counts")
    func script() {
        var call = RateScript.Call(high: 1, low: 2, used: .max, most: .max)
        call.isWhole = true
        var writer = CommandWriter()
        writer.write(.advanceRate(call))
        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(text.hasPrefix("*6\r\n$4\r\nEVAL\r\n$"))
        #expect(text.contains("\(RateScript.text)\r\n$1\r\n1\r\n"))
        #expect(text.hasSuffix("$14\r\n63244800000000\r\n$14\r\n63244800000000\r\n"))
        let least = RateScript.Call(high: 1, low: 2, used: .min, most: .min)
        #expect(least.used == -63_244_800_000_000 && least.most == 0)
    }

    @Test("commands follow each other; the writer can be emptied")
    func pipeline() {
        var writer = CommandWriter()
        writer.write(.ping)
        writer.write(.get(key: [1, 2]))
        #expect(ReadReplies([writer.bytes]).replies.count == 2)
        writer.clear()
        #expect(writer.bytes == [])
    }

    @Test("what belongs to one subject stands in braces, and nothing else does")
    func hashTags() {
        #expect(HashTag.key("owner", of: Array("ab12".utf8)) == Array("berth:{ab12}:owner".utf8))
        #expect(HashTag.key("owner", of: Array("a}{b".utf8)) == Array("berth:{ab}:owner".utf8))
    }
}
