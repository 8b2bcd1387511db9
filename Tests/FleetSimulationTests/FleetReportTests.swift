import Testing

@testable import FleetSimulation

@Suite("The report")
struct FleetReportTests {
    private var plan: FleetPlan {
        var plan = SmallFleets.plan
        plan.sessions = 2_000
        plan.sessionSeconds = 300
        return plan
    }

    @Test("the same plan gives the same report, another seed another")
    func determinism() {
        let report = FleetReport(plan)
        #expect(report == FleetReport(plan))
        var other = plan
        other.seed = 2
        #expect(FleetReport(other).balances != report.balances)
        #expect(report.scenarios.count == Scheme.allCases.count * Scenario.all(plan).count)
        #expect(report.balances.count == PlacementPolicy.allCases.count)
        #expect(report.newcomers.count == 6)
        #expect(report.storms.count == 9)
    }

    @Test("the tables have every scheme, policy and scenario")
    func text() {
        let text = FleetReport(plan).text
        for scheme in Scheme.allCases { #expect(text.contains(scheme.rawValue)) }
        for policy in PlacementPolicy.allCases { #expect(text.contains("\n\(policy.rawValue) ")) }
        for scenario in Scenario.all(plan) { #expect(text.contains("\n\(scenario.name)")) }
    }

    @Test("columns are aligned")
    func alignment() {
        var table = TextTable(["name", "n"])
        table.add(["a", "1"])
        table.add(["longer", "100"])
        #expect(table.text == "name      n\na         1\nlonger  100\n")
    }

    @Test("numbers in words")
    func wording() {
        #expect(Wording.count(1_234_567) == "1,234,567")
        #expect(Wording.count(-1_000) == "-1,000")
        #expect(Wording.decimal(1.005, 1) == "1.0")
        #expect(Wording.decimal(12.345) == "12.35")
        #expect(Wording.percent(0, of: 10) == "0")
        #expect(Wording.percent(1, of: 100_000) == "0.0010 %")
        #expect(Wording.percent(1, of: 3) == "33.3 %")
        #expect(Wording.bytes(3 << 20) == "3.0 MiB")
    }

    @Test("a newcomer that starts slowly gets less at first")
    func newcomer() {
        var plan = plan
        plan.sessionSeconds = 30
        let fleet = Fleet(plan, .roundRobin)
        let quick = NewcomerResult.trial(fleet, slowStart: 0)
        let slow = NewcomerResult.trial(fleet, slowStart: 30)
        #expect(quick.firstTen > 0.7)
        #expect(slow.firstTen < quick.firstTen * 0.7)
        #expect(slow.minute < quick.minute)
    }
}
