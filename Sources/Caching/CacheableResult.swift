import ASCII
import JSON
package import Kernel
import MCP

/// The result in a server's answer, if it may be kept, cut where the time for which it is good stands.
package struct CacheableResult: Sendable, Equatable {
    /// The result up to the number of milliseconds; all of it if there is no such number.
    package let beforeTTL: [UInt8]
    /// What follows that number; nil if there is none.
    package let afterTTL: [UInt8]?
    /// How long it is good, from when it came.
    package let ttl: Interval
    /// Anybody may get it, and not only who asked.
    package let isShared: Bool

    init(beforeTTL: [UInt8], afterTTL: [UInt8]?, ttl: Interval, isShared: Bool) {
        self.beforeTTL = beforeTTL
        self.afterTTL = afterTTL
        self.ttl = ttl
        self.isShared = isShared
    }

    /// Longer results are not kept, in bytes.
    package static var maximumBytes: Int { 1 << 20 }

    /// Reads the body of an answer; nil if it is not to be kept: an error, one that asks for more, one that is good for no
    /// time, one that is no answer or more than one.
    package init?(_ body: Span<UInt8>, isEventStream: Bool, _ authority: CacheQuestion.Authority, rules: CacheRules) {
        guard isEventStream else {
            self.init(message: body, authority, rules)
            return
        }
        var answers: [CacheableResult?] = []
        EventStream.forEachMessage(in: body) { message in
            if !Self.isNotification(message) { answers.append(CacheableResult(message: message, authority, rules)) }
        }
        guard answers.count == 1, let answer = answers[0] else { return nil }
        self = answer
    }

    private static func isNotification(_ message: Span<UInt8>) -> Bool {
        RequestSummary(of: message).map { !$0.hasID && $0.method != .batch && $0.method != .response } ?? false
    }

    private init?(message: Span<UInt8>, _ authority: CacheQuestion.Authority, _ rules: CacheRules) {
        var reader = JSONReader()
        guard reader.openObject(message) else { return nil }
        var result: Range<Int>?
        while let name = reader.nextName(message) {
            let name = message.extracting(name)
            guard let value = reader.value(message) else { return nil }
            if JSONString.content(name, equals: "result") {
                guard result == nil else { return nil }
                result = value
            } else if !JSONString.content(name, equals: "jsonrpc"), !JSONString.content(name, equals: "id") {
                return nil
            }
        }
        guard reader.isAtEnd(message), let result, result.count <= Self.maximumBytes else { return nil }
        self.init(message.extracting(result), authority, rules)
    }

    private init?(_ result: Span<UInt8>, _ authority: CacheQuestion.Authority, _ rules: CacheRules) {
        var facts = ResultFacts()
        guard facts.read(result), !facts.isError else { return nil }
        switch authority {
        case .server:
            // Each such result has to have all three (MCP 2026-07-28).
            guard facts.isComplete == true, let milliseconds = facts.ttl else { return nil }
            let (claimed, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
            ttl = min(overflow ? .unlimited : Interval(nanoseconds: claimed), rules.maximumTTL)
            isShared = facts.isPublic
        case .vouched(let time):
            guard facts.isComplete ?? true else { return nil }
            ttl = time
            isShared = true
        }
        guard ttl.nanoseconds > 0 else { return nil }
        let place = facts.ttlPlace
        beforeTTL = result.extracting(0..<(place?.lowerBound ?? result.count)).copied
        afterTTL = place.map { result.extracting($0.upperBound..<result.count).copied }
    }
}

/// What a result says of itself. What it says twice makes it unfit to be kept.
private struct ResultFacts {
    /// `resultType` is `complete`; nil: there is none.
    var isComplete: Bool?
    var isError = false
    var isPublic = false
    /// In milliseconds.
    var ttl: UInt64?
    /// Where the number stands.
    var ttlPlace: Range<Int>?
    private var seen: Set<Name> = []

    private enum Name { case resultType, isError, cacheScope, ttl }

    private static let names: [(StaticString, Name)] = [
        ("resultType", .resultType), ("isError", .isError), ("cacheScope", .cacheScope), ("ttlMs", .ttl),
    ]

    /// Reads a result; false if it is no object, or ambiguous.
    mutating func read(_ result: Span<UInt8>) -> Bool {
        var reader = JSONReader()
        guard reader.openObject(result) else { return false }
        while let range = reader.nextName(result) {
            let name = result.extracting(range)
            guard let place = reader.value(result) else { return false }
            for (text, known) in Self.names where JSONString.content(name, equals: text) {
                guard seen.insert(known).inserted else { return false }
                note(known, result.extracting(place), place)
            }
        }
        return reader.isAtEnd(result)
    }

    private mutating func note(_ name: Name, _ value: Span<UInt8>, _ place: Range<Int>) {
        switch name {
        case .resultType: isComplete = value.equals("\"complete\"")
        case .isError: isError = !value.equals("false")
        case .cacheScope: isPublic = value.equals("\"public\"")
        case .ttl:
            ttl = value.decimal
            if ttl != nil { ttlPlace = place }
        }
    }
}
