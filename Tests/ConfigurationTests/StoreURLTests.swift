import Testing

@testable import Configuration

@Suite("URLs of stores")
struct StoreURLTests {
    @Test("a URL names host, port, user, password and database; what it leaves out is as usual")
    func parts() throws {
        let full = try StoreURL("rediss://berth:p%40s%3As@Redis.example.com:6380/12")
        #expect(full.host == "redis.example.com" && full.port == 6380 && full.isSecure)
        #expect(full.user == "berth" && full.password == "p@s:s" && full.database == 12)
        let least = try StoreURL("redis://redis")
        #expect(least.host == "redis" && least.port == 6379 && !least.isSecure)
        #expect(least.user.isEmpty && least.password == nil && least.database == 0)
        #expect(try StoreURL("redis://:secret@[fd00::7]/").password == "secret")
        #expect(try StoreURL("redis://:secret@[fd00::7]/").host == "fd00::7")
        #expect(try StoreURL("redis://u@10.0.0.1:1").user == "u")
        // A password that was not written as a URL has it.
        #expect(try StoreURL("redis://:a/b@c@redis").password == "a/b@c")
    }

    @Test(
        "other texts are not URLs of stores",
        arguments: [
            ("redis:6379", .noScheme), ("redis", .noScheme), ("", .noScheme), ("http://redis", .scheme("http")),
            ("REDIS+tls://redis", .scheme("redis+tls")), ("redis://", .noHost), ("redis:///1", .noHost),
            ("redis://:6379", .noHost), ("redis://u:p@", .noHost), ("redis://redis:", .badPort("")),
            ("redis://redis:0", .badPort("0")), ("redis://redis:65536", .badPort("65536")),
            ("redis://redis:+1", .badPort("+1")), ("redis://re dis", .badHost("re dis")),
            ("redis://[::1", .badHost("[:")),
            ("redis://[x]:1", .badHost("[x]")), ("redis://redis/x", .badDatabase("x")),
            ("redis://redis/65536", .badDatabase("65536")), ("redis://redis/1/2", .badDatabase("1/2")),
            ("redis://redis?db=1", .extra("?db=1")), ("redis://redis/1#a", .extra("#a")),
            ("redis://%4@redis", .badEscape),
            ("redis://:%zz@redis", .badEscape), ("redis://:%+1@redis", .badEscape), ("redis://:%ff@redis", .badEscape),
        ] as [(String, StoreURL.ParseError)])
    func others(_ text: String, _ error: StoreURL.ParseError) {
        #expect(throws: error) { try StoreURL(text) }
    }

    @Test("a password is taken from the environment, and is not shown")
    func password() throws {
        var checks = ConfigurationChecks.none
        checks.environment = { $0 == "REDIS_PASSWORD" ? "hunter2" : nil }
        let text = """
            [listen]
            http = ":80"
            [upstream.mcp]
            servers = ["a:1"]
            [upstream.mcp.session]
            affinity = "learned"
            store = "redis://berth:${REDIS_PASSWORD}@redis/3"
            """
        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get()
        let store = try #require(file.configuration.upstreams[0].session.store)
        #expect(
            store.user == "berth" && store.password == "hunter2" && store.database == 3
                && store.wait == .milliseconds(50))
        #expect(file.effectiveText().contains("${REDIS_PASSWORD}") && !file.effectiveText().contains("hunter2"))
    }
}
