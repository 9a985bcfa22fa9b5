// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {PayoutModule} from "src/PayoutModule.sol";
import {TreasuryModule} from "src/TreasuryModule.sol";
import {TreasuryModuleHandler, TreasuryModuleInvariants, TreasuryModuleKit, TreasuryModuleTest} from "./TreasuryModule.t.sol";

// A token that calls back into the module from inside its transfer, or answers false.
contract BadToken {
    bool public immutable refuses;
    bytes public call;
    address public target;
    uint256 public moved;
    bytes4 public said;

    constructor(bool refuses_) {
        refuses = refuses_;
    }

    function callBack(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function transferFrom(address, address, uint256 amount) external returns (bool) {
        moved += amount;
        if (target != address(0)) {
            (, bytes memory reason) = target.call(call);
            if (reason.length >= 4) said = bytes4(reason);
        }
        return !refuses;
    }
}

abstract contract PayoutModuleKit is TreasuryModuleKit {
    function _module() internal view returns (PayoutModule) {
        return PayoutModule(address(made));
    }

    function _deploy(IERC20 token, address treasury, address admin, address keeper, uint256 limit) internal override returns (TreasuryModule) {
        return new PayoutModule(token, treasury, admin, keeper, limit);
    }

    function _setKeeperCall(address next) internal pure override returns (bytes memory) {
        return abi.encodeCall(PayoutModule.setPayer, (next));
    }

    function _keeper() internal view override returns (address) {
        return _module().payer();
    }

    function _spentToday() internal view override returns (uint256) {
        return _module().paidToday();
    }

    function _totalSpent() internal view override returns (uint256) {
        return _module().totalPaid();
    }

    function _spendCount() internal view override returns (uint256) {
        return _module().paymentCount();
    }

    function _spentFor(bytes32 id) internal view override returns (uint256) {
        return _module().payment(id).amount;
    }
}

// What it promises as every module does is tested in TreasuryModule.t.sol.
contract PayoutModuleTest is PayoutModuleKit, TreasuryModuleTest {
    PayoutModule private module;
    address private constant PAYER = KEEPER;
    address private constant ANN = address(0xa1);
    address private constant BEN = address(0xb2);

    function setUp() public override {
        super.setUp();
        module = _module();
    }

    function _spend(address by, bytes32 id, uint256 amount) internal override {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(id, ANN, amount);
        vm.prank(by);
        module.pay(ids, to, amounts);
    }

    function _notKeeper(address caller) internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(PayoutModule.NotPayer.selector, caller);
    }

    function _emitKeeperChanged(address previous, address current) internal override {
        emit PayoutModule.PayerChanged(previous, current);
    }

    function _lists(uint256 count) private pure returns (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) {
        (ids, to, amounts) = (new bytes32[](count), new address[](count), new uint256[](count));
    }

    function _single(bytes32 id, address to, uint256 amount) private pure returns (bytes32[] memory ids, address[] memory tos, uint256[] memory amounts) {
        (ids, tos, amounts) = _lists(1);
        (ids[0], tos[0], amounts[0]) = (id, to, amount);
    }

    function test_pay_pays_and_tells() public {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _lists(2);
        (ids[0], to[0], amounts[0]) = (ID, ANN, 5e9);
        (ids[1], to[1], amounts[1]) = ("other", BEN, 7e9);
        vm.roll(77);
        vm.expectEmit(address(module));
        emit PayoutModule.Paid(ID, ANN, 5e9);
        vm.expectEmit(address(palm));
        emit IERC20.Transfer(TREASURY, ANN, 5e9);
        vm.expectEmit(address(module));
        emit PayoutModule.Paid("other", BEN, 7e9);
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        PayoutModule.Payment memory p = module.payment(ID);
        vm.assertEq(p.to, ANN, "to");
        vm.assertEq(p.amount, 5e9, "amount");
        vm.assertEq(p.blockNumber, 77, "block");
        vm.assertEq(palm.balanceOf(ANN), 5e9, "Ann has it");
        vm.assertEq(palm.balanceOf(BEN), 7e9, "Ben has it");
        vm.assertEq(palm.balanceOf(TREASURY), 75_000_000e9 - 12e9, "the treasury paid");
        vm.assertEq(module.totalPaid(), 12e9, "paid");
        vm.assertEq(module.paymentCount(), 2, "payments");
        vm.assertEq(module.paidToday(), 12e9, "today");
        vm.assertEq(module.leftToday(), LIMIT - 12e9, "left");
        vm.assertEq(palm.balanceOf(address(module)), 0, "it holds nothing");
    }

    function testFuzz_an_id_is_paid_once(bytes32 id, uint256 amount, uint256 later) public {
        vm.assume(id != 0);
        amount = within(amount, 1, LIMIT);
        _spend(PAYER, id, amount);
        vm.warp(NOON + within(later, 0, 3650 days));
        _spend(PAYER, id, amount);                           // the same again is skipped
        vm.assertEq(palm.balanceOf(ANN), amount, "once");
        vm.assertEq(module.totalPaid(), amount, "counted once");
        vm.assertEq(module.paymentCount(), 1, "one payment");
    }

    function testFuzz_an_id_that_was_paid_is_paid_to_nobody_else(bytes32 id, uint256 amount, address to, uint256 again) public {
        vm.assume(id != 0);
        amount = within(amount, 1, LIMIT);
        vm.assume(to != ANN || again != amount);
        _spend(PAYER, id, amount);
        (bytes32[] memory ids, address[] memory tos, uint256[] memory amounts) = _single(id, to, again);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.PaidOtherwise.selector, id, ANN, amount));
        vm.prank(PAYER);
        module.pay(ids, tos, amounts);
    }

    function test_the_same_id_twice_in_a_call_is_paid_once() public {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _lists(3);
        for (uint256 i = 0; i < 3; i++) (ids[i], to[i], amounts[i]) = (ID, ANN, 4);
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.assertEq(palm.balanceOf(ANN), 4, "once");
        amounts[2] = 5;
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.PaidOtherwise.selector, ID, ANN, 4));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
    }

    function test_a_batch_sent_again_with_more_in_it_pays_only_what_is_new() public {
        _spend(PAYER, ID, 5);
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _lists(2);
        (ids[0], to[0], amounts[0]) = (ID, ANN, 5);
        (ids[1], to[1], amounts[1]) = ("new", BEN, 6);
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.assertEq(palm.balanceOf(ANN), 5, "not again");
        vm.assertEq(palm.balanceOf(BEN), 6, "the new one");
        vm.assertEq(module.paidToday(), 11, "what was really paid");
    }

    function test_a_call_is_wholly_done_or_not_at_all() public {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _lists(2);
        (ids[0], to[0], amounts[0]) = (ID, ANN, 5);
        (ids[1], to[1], amounts[1]) = ("bad", address(0), 6);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForPayment.selector, bytes32("bad"), address(0)));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.assertEq(module.payment(ID).amount, 0, "the good one neither");
        vm.assertEq(palm.balanceOf(ANN), 0, "nothing moved");
    }

    function test_pay_refuses_what_is_empty_or_unfit() public {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(0, ANN, 1);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.EmptyPayment.selector, bytes32(0), 1));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        (ids[0], amounts[0]) = (ID, 0);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.EmptyPayment.selector, ID, 0));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        amounts[0] = 1;
        address[4] memory unfit = [address(0), address(palm), TREASURY, address(module)];
        for (uint256 i = 0; i < 4; i++) {
            to[0] = unfit[i];
            vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForPayment.selector, ID, unfit[i]));
            vm.prank(PAYER);
            module.pay(ids, to, amounts);
        }
    }

    function testFuzz_lists_are_equally_long_and_bounded(uint8 a, uint8 b, uint8 c) public {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = (new bytes32[](a), new address[](b), new uint256[](c));
        for (uint256 i = 0; i < a; i++) ids[i] = bytes32(i + 1);
        for (uint256 i = 0; i < b; i++) to[i] = ANN;
        for (uint256 i = 0; i < c; i++) amounts[i] = 1;
        bool done = a == b && b == c && a > 0 && a <= 100;
        if (a != b || b != c) vm.expectRevert(abi.encodeWithSelector(PayoutModule.LengthsDiffer.selector, a, b, c));
        else if (!done) vm.expectRevert(abi.encodeWithSelector(PayoutModule.OutOfBounds.selector, a, 100));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.assertEq(palm.balanceOf(ANN), done ? a : 0, "all of it or nothing");
    }

    function test_one_more_than_the_most() public {
        for (uint256 count = 100; count <= 101; count++) {
            (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _lists(count);
            for (uint256 i = 0; i < count; i++) (ids[i], to[i], amounts[i]) = (bytes32(count * 1000 + i), ANN, 1);
            if (count == 101) vm.expectRevert(abi.encodeWithSelector(PayoutModule.OutOfBounds.selector, 101, 100));
            vm.prank(PAYER);
            module.pay(ids, to, amounts);
        }
        vm.assertEq(palm.balanceOf(ANN), 100, "a hundred");
    }

    function test_what_was_paid_needs_no_room() public {
        _spend(PAYER, ID, LIMIT);
        _spend(PAYER, ID, LIMIT);
        vm.prank(ADMIN);
        module.setDayLimit(0);
        _spend(PAYER, ID, LIMIT);
        vm.assertEq(module.paidToday(), LIMIT, "once");
    }

    function test_the_limit_counts_a_call_together() public {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _lists(2);
        (ids[0], to[0], amounts[0]) = (ID, ANN, LIMIT);
        (ids[1], to[1], amounts[1]) = ("other", BEN, 1);
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.OverDayLimit.selector, 1, 0));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
    }

    function test_a_token_that_answers_false_ends_the_call() public {
        PayoutModule other = new PayoutModule(IERC20(address(new BadToken(true))), TREASURY, ADMIN, PAYER, LIMIT);
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(ID, ANN, 1);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(other.token())));
        vm.prank(PAYER);
        other.pay(ids, to, amounts);
        vm.assertEq(other.payment(ID).amount, 0, "not paid");
    }

    // Even a token that is the payer itself finds the id paid when it calls back.
    function test_a_token_that_calls_back_is_paid_nothing_twice() public {
        BadToken bad = new BadToken(false);
        PayoutModule other = new PayoutModule(IERC20(address(bad)), TREASURY, ADMIN, PAYER, LIMIT);
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(ID, ANN, 5);
        bad.callBack(address(other), abi.encodeCall(PayoutModule.pay, (ids, to, amounts)));
        vm.prank(PAYER);
        other.pay(ids, to, amounts);
        vm.assertTrue(bad.said() == PayoutModule.NotPayer.selector, "a stranger is refused from inside too");
        vm.assertEq(bad.moved(), 5, "once");
        vm.prank(ADMIN);
        other.setPayer(address(bad));
        ids[0] = "next";
        bad.callBack(address(other), abi.encodeCall(PayoutModule.pay, (ids, to, amounts)));
        vm.prank(address(bad));
        other.pay(ids, to, amounts);
        vm.assertEq(bad.moved(), 10, "once each");
        vm.assertEq(other.totalPaid(), 10, "counted once each");
    }
}

contract PayoutHandler is PayoutModuleKit, TreasuryModuleHandler {
    mapping(bytes32 id => address) public toOf;
    mapping(address who => uint256) public got;

    struct Plan {
        bytes32[] ids;
        address[] to;
        uint256[] amounts;
        bool[] due;
        bool good;
        uint256 sum;
    }

    // Mostly what an id was, or would be, paid before: its own receiver and amount; now and then another.
    function _plan(uint256 seed) private view returns (Plan memory p) {
        uint256 count = within(seed >> 8, 0, 5);
        (p.ids, p.to, p.amounts, p.due) = (new bytes32[](count), new address[](count), new uint256[](count), new bool[](count));
        p.good = count > 0;
        for (uint256 i = 0; i < count; i++) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            p.ids[i] = ids[r % ids.length];
            uint256 own = uint256(p.ids[i]);
            p.to[i] = people[(own + (r >> 8) % 16 / 15) % people.length];
            p.amounts[i] = own * 7 + (r >> 16) % 16 / 15 - ((r >> 24) % 32 == 0 ? own * 7 : 0);
            _judge(p, i);
        }
    }

    function _judge(Plan memory p, uint256 i) private view {
        (uint256 amount, address to) = (amountOf[p.ids[i]], toOf[p.ids[i]]);
        for (uint256 j = 0; j < i && amount == 0; j++) if (p.ids[j] == p.ids[i]) (amount, to) = (p.amounts[j], p.to[j]);
        if (amount != 0) {
            if (amount != p.amounts[i] || to != p.to[i]) p.good = false;
            return;
        }
        p.due[i] = true;
        p.sum += p.amounts[i];
        if (p.amounts[i] == 0 || spentOn[_day()] + p.sum > limit) p.good = false;
    }

    function pay(uint256 by, uint256 seed) external {
        address caller = _caller(by);
        Plan memory p = _plan(seed);
        bool good = p.good && caller == keeper && !paused;
        uint256 before = palm.balanceOf(TREASURY);
        vm.prank(caller);
        try _module().pay(p.ids, p.to, p.amounts) {
            vm.assertTrue(good, "paid what should have been refused");
            vm.assertEq(before - palm.balanceOf(TREASURY), p.sum, "exactly this left the treasury");
            for (uint256 i = 0; i < p.ids.length; i++) if (p.due[i]) _paid(p.ids[i], p.to[i], p.amounts[i]);
        } catch {
            vm.assertTrue(!good, "refused what was due");
            vm.assertEq(before, palm.balanceOf(TREASURY), "nothing moved");
        }
    }

    function _paid(bytes32 id, address to, uint256 amount) private {
        _spentNow(id, amount);
        toOf[id] = to;
        got[to] += amount;
    }

    function look_at_payments() external view {
        for (uint256 i = 0; i < ids.length; i++) {
            vm.assertEq(_module().payment(ids[i]).to, toOf[ids[i]], "the first payment's receiver");
        }
        for (uint256 i = 0; i < people.length; i++) vm.assertEq(palm.balanceOf(people[i]), got[people[i]], "each has what was paid to them");
    }
}

contract PayoutModuleInvariants is TreasuryModuleInvariants {
    PayoutHandler private handler;

    function setUp() public {
        handler = new PayoutHandler();
    }

    function _handler() internal view override returns (TreasuryModuleHandler, bytes4) {
        return (handler, handler.pay.selector);
    }

    function invariant_payouts() public view {
        handler.look();
        handler.look_at_payments();
    }
}
