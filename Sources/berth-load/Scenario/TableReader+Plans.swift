import Configuration
import Foundation
import HTTP
import Load

extension TableReader {
    /// Reads a URL; an invalid one is reported.
    mutating func target(_ key: String) -> Target? {
        guard let (url, entry) = text(key) else { return nil }
        do throws(TargetError) {
            return try Target(url: url)
        } catch {
            let help = url.contains("://") ? nil : "\(key) = \"http://\(url)\""
            report(entry.value.range, "\(quote(entry)) cannot be used", because: error.reason, help: help)
            return nil
        }
    }

    /// Reads `workload = "calls"`, or `mix = { sessions = 3, calls = 1 }` with weights.
    mutating func mix() -> [LoadPlan.Share] {
        if has("workload"), has("mix") {
            report(
                range, "workload and mix in one run", because: "a run is one workload, or a mix of several",
                help: "remove workload, and give it a weight in mix")
        }
        // The run's own key takes precedence over an inherited one.
        if has("workload") {
            markHandled("mix")
            return [LoadPlan.Share(workload())]
        }
        var weights = table("mix")
        let shares = Workload.allCases.compactMap { workload in
            weights.number(workload.rawValue, in: 0.001...1_000_000).map { LoadPlan.Share(workload, weight: $0) }
        }
        weights.finish()
        if !shares.isEmpty {
            markHandled("workload")
            return shares
        }
        if let empty = weights.range, weights.takeAll().isEmpty {
            report(
                empty, "nothing in mix", because: "a mix has a weight for each of its workloads",
                help: "mix = { sessions = 3, calls = 1 }")
        }
        return [LoadPlan.Share(workload())]
    }

    private mutating func workload() -> Workload {
        choice(
            "workload", default: Workload.sessions,
            aliases: [
                "session": .sessions, "sse": .legacy, "stateless": .calls, "call": .calls, "fan-in": .fanin,
                "streams": .idle, "connect": .churn, "connections": .churn, "bulk": .bodies, "body": .bodies,
            ])
    }

    /// Reads an integer or floating-point number; nil if the key is missing or the value, which is reported, is
    /// invalid.
    mutating func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let entry = take(key) else { return nil }
        let bounds = "\(key) may be \(Self.format(range.lowerBound)) to \(Self.format(range.upperBound))"
        let number: Double
        switch entry.value.content {
        case .integer(let value): number = Double(value)
        case .float(let value): number = value
        case .string(let text):
            let help = Double(text).map { "write it without quotes: \(key) = \(Self.format($0))" }
            wrongType(entry, "a number", bounds, help: help)
            return nil
        default:
            wrongType(entry, "a number", bounds)
            return nil
        }
        guard range.contains(number) else {
            report(entry.value.range, "\(quote(entry)) is out of range", because: bounds)
            return nil
        }
        return number
    }

    /// Reads an integer; nil if the key is missing.
    mutating func optionalInteger(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let entry = take(key) else { return nil }
        return integer(entry, in: range, "")
    }

    /// Reads a boolean; nil if the key is missing.
    mutating func optionalFlag(_ key: String) -> Bool? {
        guard let entry = take(key) else { return nil }
        if case .boolean(let flag) = entry.value.content { return flag }
        wrongType(entry, "a boolean", "\(key) is either true or false, without quotes")
        return nil
    }

    /// Reads the text of a JSON object.
    mutating func jsonObject(_ key: String) -> String? {
        guard let (text, entry) = text(key) else { return nil }
        guard (try? JSONSerialization.jsonObject(with: Data(text.utf8))) is [String: Any] else {
            report(
                entry.value.range, "\(quote(entry)) is not a JSON object",
                because: "a tool takes its arguments by name", help: "\(key) = '{\"text\": \"hello\"}'")
            return nil
        }
        return text
    }

    /// Reads `headers = { authorization = "Bearer …" }`.
    mutating func headers() -> [LoadPlan.Header] {
        var table = table("headers")
        return table.takeAll().compactMap { entry in
            guard entry.name.utf8.allSatisfy(ByteClass.isToken), !entry.name.isEmpty else {
                report(
                    entry.key, "\"\(entry.name)\" is not the name of a header",
                    because: "RFC 9110 section 5.1 allows letters, digits and a few signs")
                return nil
            }
            guard case .string(let value) = entry.value.content else {
                wrongType(entry, "text", "the value of a header is text")
                return nil
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                report(
                    entry.value.range, "\(entry.name) has a control character in its value",
                    because: "it would end the line of the field")
                return nil
            }
            return LoadPlan.Header(name: entry.name.lowercased(), value: value)
        }
    }

    private static func format(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }
}
