// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {PALM} from "src/PALM.sol";
import {PayoutModule} from "src/PayoutModule.sol";
import {Kit} from "./Kit.sol";

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

contract PayoutModuleTest is Kit {
    PALM private palm;
    PayoutModule private module;
    address private constant TREASURY = address(0x11);
    address private constant ADMIN = address(0xad);
    address private constant PAYER = address(0xbb);
    address private constant ANN = address(0xa1);
    address private constant BEN = address(0xb2);
    bytes32 private constant ID = bytes32(uint256(0x1d));
    uint256 private constant LIMIT = 1_000_000e9;
    uint256 private constant NOON = 20_000 days + 12 hours;

    function setUp() public {
        palm = new PALM(TREASURY, address(0x22));
        module = new PayoutModule(palm, TREASURY, ADMIN, PAYER, LIMIT);
        vm.prank(TREASURY);
        palm.approve(address(module), type(uint256).max);
        vm.warp(NOON);
    }

    function _lists(uint256 count) private pure returns (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) {
        (ids, to, amounts) = (new bytes32[](count), new address[](count), new uint256[](count));
    }

    function _single(bytes32 id, address to, uint256 amount) private pure returns (bytes32[] memory ids, address[] memory tos, uint256[] memory amounts) {
        (ids, tos, amounts) = _lists(1);
        (ids[0], tos[0], amounts[0]) = (id, to, amount);
    }

    function _pay(bytes32 id, address to, uint256 amount) private {
        (bytes32[] memory ids, address[] memory tos, uint256[] memory amounts) = _single(id, to, amount);
        vm.prank(PAYER);
        module.pay(ids, tos, amounts);
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
        _pay(id, ANN, amount);
        vm.warp(NOON + within(later, 0, 3650 days));
        _pay(id, ANN, amount);                           // the same again is skipped
        vm.assertEq(palm.balanceOf(ANN), amount, "once");
        vm.assertEq(module.totalPaid(), amount, "counted once");
        vm.assertEq(module.paymentCount(), 1, "one payment");
    }

    function testFuzz_an_id_that_was_paid_is_paid_to_nobody_else(bytes32 id, uint256 amount, address to, uint256 again) public {
        vm.assume(id != 0);
        amount = within(amount, 1, LIMIT);
        vm.assume(to != ANN || again != amount);
        _pay(id, ANN, amount);
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
        _pay(ID, ANN, 5);
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

    function testFuzz_only_the_payer_pays(address caller) public {
        vm.assume(caller != PAYER);
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(ID, ANN, 1);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.NotPayer.selector, caller));
        vm.prank(caller);
        module.pay(ids, to, amounts);
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

    function test_without_tokens_or_allowance_the_id_stays_free() public {
        vm.prank(TREASURY);
        palm.approve(address(module), 1);
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(ID, ANN, 2);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(module), 1, 2));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.assertEq(module.payment(ID).amount, 0, "not paid");
        vm.assertEq(module.paidToday(), 0, "not counted");
        vm.prank(TREASURY);
        palm.approve(address(module), 2);
        _pay(ID, ANN, 2);
    }

    function testFuzz_day_limit(uint256 first, uint256 second) public {
        first = within(first, 1, LIMIT);
        second = within(second, LIMIT - first + 1, type(uint256).max - 1);
        _pay(ID, ANN, first);
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single("other", BEN, second);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.OverDayLimit.selector, second, LIMIT - first));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.warp(NOON + 12 hours - 1);
        _pay(ID, ANN, first);                            // what was paid needs no room
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.OverDayLimit.selector, second, LIMIT - first));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.warp(NOON + 12 hours);                        // midnight
        vm.assertEq(module.paidToday(), 0, "a new day");
        _pay("other", BEN, LIMIT);
        vm.assertEq(module.leftToday(), 0, "nothing left");
    }

    function test_the_limit_counts_a_call_together() public {
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _lists(2);
        (ids[0], to[0], amounts[0]) = (ID, ANN, LIMIT);
        (ids[1], to[1], amounts[1]) = ("other", BEN, 1);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.OverDayLimit.selector, 1, 0));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
    }

    function test_a_lower_limit_counts_for_today_too() public {
        _pay(ID, ANN, 100);
        vm.expectEmit(address(module));
        emit PayoutModule.DayLimitChanged(LIMIT, 60);
        vm.prank(ADMIN);
        module.setDayLimit(60);
        vm.assertEq(module.leftToday(), 0, "left");
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single("other", ANN, 1);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.OverDayLimit.selector, 1, 0));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
    }

    function test_limit_has_a_bound() public {
        uint256 max = module.DAY_LIMIT_MAX();
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.OverDayLimitMax.selector, max + 1, max));
        vm.prank(ADMIN);
        module.setDayLimit(max + 1);
        vm.prank(ADMIN);
        module.setDayLimit(max);
    }

    function test_pause() public {
        vm.prank(ADMIN);
        module.pause();
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(ID, ANN, 1);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.prank(ADMIN);
        module.unpause();
        _pay(ID, ANN, 1);
    }

    function testFuzz_only_the_admin_administers(address caller) public {
        vm.assume(caller != ADMIN);
        bytes[6] memory calls = [
            abi.encodeCall(PayoutModule.pause, ()),
            abi.encodeCall(PayoutModule.unpause, ()),
            abi.encodeCall(PayoutModule.setDayLimit, (1)),
            abi.encodeCall(PayoutModule.setPayer, (address(1))),
            abi.encodeCall(Ownable2Step.transferOwnership, (caller)),
            abi.encodeCall(Ownable.renounceOwnership, ())
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            vm.prank(caller);
            (bool done, bytes memory reason) = address(module).call(calls[i]);
            vm.assertTrue(!done && selectorOf(reason) == Ownable.OwnableUnauthorizedAccount.selector, "refused");
        }
    }

    function test_a_new_payer_replaces_the_old_one() public {
        vm.expectEmit(address(module));
        emit PayoutModule.PayerChanged(PAYER, address(0xb3));
        vm.prank(ADMIN);
        module.setPayer(address(0xb3));
        (bytes32[] memory ids, address[] memory to, uint256[] memory amounts) = _single(ID, ANN, 1);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.NotPayer.selector, PAYER));
        vm.prank(PAYER);
        module.pay(ids, to, amounts);
        vm.prank(address(0xb3));
        module.pay(ids, to, amounts);
    }

    function test_a_new_admin_must_accept() public {
        vm.prank(ADMIN);
        module.transferOwnership(address(0xa2));
        vm.assertEq(module.owner(), ADMIN, "not yet");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, PAYER));
        vm.prank(PAYER);
        module.acceptOwnership();
        vm.prank(address(0xa2));
        module.acceptOwnership();
        vm.assertEq(module.owner(), address(0xa2), "now");
    }

    function test_there_is_always_an_admin() public {
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.OwnerNeeded.selector));
        vm.prank(ADMIN);
        module.renounceOwnership();
    }

    function test_roles_stay_apart() public {
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForRole.selector, ADMIN));
        vm.prank(ADMIN);
        module.setPayer(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForRole.selector, address(0)));
        vm.prank(ADMIN);
        module.setPayer(address(0));
        vm.prank(ADMIN);
        module.transferOwnership(PAYER);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForRole.selector, PAYER));
        vm.prank(PAYER);
        module.acceptOwnership();
    }

    function test_constructor_refuses_nonsense() public {
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForRole.selector, address(0)));
        new PayoutModule(palm, address(0), ADMIN, PAYER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForRole.selector, address(0x99)));
        new PayoutModule(IERC20(address(0x99)), TREASURY, ADMIN, PAYER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new PayoutModule(palm, TREASURY, address(0), PAYER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForRole.selector, address(0)));
        new PayoutModule(palm, TREASURY, ADMIN, address(0), LIMIT);
        vm.expectRevert(abi.encodeWithSelector(PayoutModule.UnfitForRole.selector, ADMIN));
        new PayoutModule(palm, TREASURY, ADMIN, ADMIN, LIMIT);
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

// Everybody does everything in any order, and this model says beforehand what has to come of it.
contract PayoutHandler is Kit {
    PALM public palm;
    PayoutModule public module;
    address public constant TREASURY = address(0x11);
    address[] public people;
    bytes32[] public ids;

    mapping(bytes32 id => uint256) public amountOf;
    mapping(bytes32 id => address) public toOf;
    mapping(bytes32 id => uint256) public timesPaid;
    mapping(address who => uint256) public got;
    mapping(uint256 day => uint256) public paidOn;
    uint256 public paid;
    uint256 public payments;
    address public owner;
    address public pending;
    address public payer;
    uint256 public limit = 1000;
    bool public paused;
    uint256 public time = 20_000 days;

    constructor() {
        palm = new PALM(TREASURY, address(0x22));
        for (uint256 i = 1; i <= 4; i++) people.push(address(uint160(0xa0 + i)));
        for (uint256 i = 1; i <= 24; i++) ids.push(bytes32(i));
        (owner, payer) = (people[0], people[1]);
        module = new PayoutModule(palm, TREASURY, owner, payer, limit);
        vm.prank(TREASURY);
        palm.approve(address(module), type(uint256).max);
        vm.warp(time);
    }

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
        if (p.amounts[i] == 0 || paidOn[_day()] + p.sum > limit) p.good = false;
    }

    function pay(uint256 by, uint256 seed) external {
        address caller = by % 4 == 0 ? people[by / 4 % people.length] : payer;     // mostly the right one
        Plan memory p = _plan(seed);
        bool good = p.good && caller == payer && !paused;
        uint256 before = palm.balanceOf(TREASURY);
        vm.prank(caller);
        try module.pay(p.ids, p.to, p.amounts) {
            vm.assertTrue(good, "paid what should have been refused");
            vm.assertEq(before - palm.balanceOf(TREASURY), p.sum, "exactly this left the treasury");
            for (uint256 i = 0; i < p.ids.length; i++) if (p.due[i]) _paid(p.ids[i], p.to[i], p.amounts[i]);
        } catch {
            vm.assertTrue(!good, "refused what was due");
            vm.assertEq(before, palm.balanceOf(TREASURY), "nothing moved");
        }
    }

    function _paid(bytes32 id, address to, uint256 amount) private {
        timesPaid[id]++;
        (amountOf[id], toOf[id]) = (amount, to);
        got[to] += amount;
        paidOn[_day()] += amount;
        paid += amount;
        payments++;
        vm.assertLe(paidOn[_day()], limit, "the limit of the day");
    }

    function pass_time(uint256 s) external {
        time += within(s, 1, 5 hours);
        vm.warp(time);
    }

    function set_limit(uint256 by, uint256 next) external {
        next = within(next, 0, 1500);
        vm.prank(_who(by));
        try module.setDayLimit(next) {
            vm.assertEq(_who(by), owner, "only the owner sets the limit");
            limit = next;
        } catch {
            vm.assertTrue(_who(by) != owner, "the owner may");
        }
    }

    function set_pause(uint256 by, bool on) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(on ? abi.encodeCall(module.pause, ()) : abi.encodeCall(module.unpause, ()));
        vm.assertTrue(done == (_who(by) == owner && on != paused), "the owner pauses what runs");
        if (done) paused = on;
    }

    function set_payer(uint256 by, uint256 next) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(abi.encodeCall(module.setPayer, (_who(next))));
        vm.assertTrue(done == (_who(by) == owner && _who(next) != owner), "the owner names another");
        if (done) payer = _who(next);
    }

    function hand_over(uint256 by, uint256 to) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(abi.encodeCall(module.transferOwnership, (_who(to))));
        vm.assertTrue(done == (_who(by) == owner), "only the owner hands over");
        if (done) pending = _who(to);
    }

    function accept(uint256 by) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(abi.encodeCall(module.acceptOwnership, ()));
        vm.assertTrue(done == (_who(by) == pending && _who(by) != payer), "who was named accepts");
        if (done) (owner, pending) = (pending, address(0));
    }

    function idCount() external view returns (uint256) {
        return ids.length;
    }

    function peopleCount() external view returns (uint256) {
        return people.length;
    }

    function _who(uint256 no) private view returns (address) {
        return people[no % people.length];
    }

    function _day() private view returns (uint256) {
        return time / 1 days;
    }
}

contract PayoutModuleInvariants is Kit {
    PayoutHandler private handler;
    PayoutModule private module;

    function setUp() public {
        handler = new PayoutHandler();
        module = handler.module();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory list) {
        bytes4[] memory s = new bytes4[](10);        // pays more often than the rest
        (s[0], s[1], s[2], s[3]) = (handler.pay.selector, handler.pay.selector, handler.pay.selector, handler.pay.selector);
        (s[4], s[5], s[6]) = (handler.pass_time.selector, handler.set_limit.selector, handler.set_pause.selector);
        (s[7], s[8], s[9]) = (handler.set_payer.selector, handler.hand_over.selector, handler.accept.selector);
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), s);
    }

    function invariant_payouts() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < handler.idCount(); i++) {
            bytes32 id = handler.ids(i);
            vm.assertLe(handler.timesPaid(id), 1, "once");
            vm.assertEq(module.payment(id).amount, handler.amountOf(id), "the first payment's amount");
            vm.assertEq(module.payment(id).to, handler.toOf(id), "the first payment's receiver");
            sum += module.payment(id).amount;
        }
        vm.assertEq(sum, module.totalPaid(), "the payments are all that was paid");
        vm.assertEq(module.totalPaid(), handler.paid(), "the model agrees");
        vm.assertEq(module.paymentCount(), handler.payments(), "the payments are counted");
        PALM palm = handler.palm();
        for (uint256 i = 0; i < handler.peopleCount(); i++) vm.assertEq(palm.balanceOf(handler.people(i)), handler.got(handler.people(i)), "each has what was paid to them");
        vm.assertEq(palm.balanceOf(handler.TREASURY()), 75_000_000e9 - module.totalPaid(), "the treasury lacks exactly this");
        vm.assertEq(palm.balanceOf(address(module)), 0, "the module holds nothing");
        uint256 today = handler.paidOn(handler.time() / 1 days);
        vm.assertEq(module.paidToday(), today, "today, which never went over the limit of its time: the handler saw to it");
        vm.assertEq(module.leftToday(), today < handler.limit() ? handler.limit() - today : 0, "left");
        vm.assertEq(module.owner(), handler.owner(), "owner");
        vm.assertEq(module.payer(), handler.payer(), "payer");
        vm.assertTrue(module.owner() != module.payer() && module.owner() != address(0), "two people");
    }
}
