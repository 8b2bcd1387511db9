import ASCII

/// Writes commands as servers read them: arrays of bulk strings, in both versions of the protocol.
package struct CommandWriter: Sendable {
    /// What was written since the last `clear`.
    package private(set) var bytes: [UInt8] = []

    /// A writer that has written nothing.
    package init() {}

    /// Forgets what was written, and keeps the memory if it is no more than so many bytes.
    package mutating func clear(keeping most: Int = .max) { bytes.removeAll(keepingCapacity: bytes.capacity <= most) }

    /// Appends a command.
    package mutating func write(_ command: RedisCommand) {
        switch command {
        case .ping: begin("PING", arguments: 0)
        case .get(let key):
            begin("GET", arguments: 1)
            argument(key)
        case .set(let key, let value, let milliseconds):
            begin("SET", arguments: 4)
            setting(key, value, milliseconds)
        case .create(let key, let value, let milliseconds):
            begin("SET", arguments: 5)
            setting(key, value, milliseconds)
            argument("NX")
        case .timeToLive(let key):
            begin("PTTL", arguments: 1)
            argument(key)
        case .delete(let key):
            begin("DEL", arguments: 1)
            argument(key)
        case .advanceRate(let call): write(call)
        case .expire(let key, let milliseconds):
            begin("PEXPIRE", arguments: 2)
            argument(key)
            argument(decimal: max(1, milliseconds))
        case .hello(let credentials):
            begin("HELLO", arguments: credentials == nil ? 1 : 4)
            argument("3")
            if let credentials {
                argument("AUTH")
                argument(credentials.user.isEmpty ? Array("default".utf8) : credentials.user)
                argument(credentials.password)
            }
        case .authenticate(let credentials):
            begin("AUTH", arguments: credentials.user.isEmpty ? 1 : 2)
            if !credentials.user.isEmpty { argument(credentials.user) }
            argument(credentials.password)
        case .select(let database):
            begin("SELECT", arguments: 1)
            argument(decimal: UInt64(database))
        }
    }

    private mutating func setting(_ key: [UInt8], _ value: [UInt8], _ milliseconds: UInt64) {
        argument(key)
        argument(value)
        argument("PX")
        // A server refuses a time of zero.
        argument(decimal: max(1, milliseconds))
    }

    private mutating func begin(_ name: StaticString, arguments: Int) {
        header(UInt8(ascii: "*"), UInt64(arguments + 1))
        argument(name)
    }

    private mutating func argument(_ value: [UInt8]) {
        header(UInt8(ascii: "$"), UInt64(value.count))
        bytes += value
        end()
    }

    private mutating func argument(_ text: StaticString) {
        header(UInt8(ascii: "$"), UInt64(text.utf8CodeUnitCount))
        for index in 0..<text.utf8CodeUnitCount { bytes.append(text[byte: index]) }
        end()
    }

    private mutating func argument(decimal value: UInt64) { argument(String(value).utf8) }

    private mutating func argument(_ text: String.UTF8View) {
        header(UInt8(ascii: "$"), UInt64(text.count))
        bytes += text
        end()
    }

    /// Nothing is allocated once there is space: there may be a call for every request.
    private mutating func write(_ call: RateScript.Call) {
        begin(call.isWhole ? "EVAL" : "EVALSHA", arguments: 5)
        argument(call.isWhole ? RateScript.text : RateScript.digest)
        argument(decimal: 1)
        header(UInt8(ascii: "$"), 45)
        bytes += "berth:{".utf8
        append(hexadecimal: call.high)
        append(hexadecimal: call.low)
        bytes += "}:rate".utf8
        end()
        argument(String(call.used).utf8)
        argument(String(call.most).utf8)
    }

    private mutating func append(hexadecimal number: UInt64) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> shift & 15)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }

    private mutating func header(_ type: UInt8, _ number: UInt64) {
        bytes.append(type)
        bytes += String(number).utf8
        end()
    }

    private mutating func end() {
        bytes.append(0x0d)
        bytes.append(0x0a)
    }
}
