// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {BurnModule} from "src/BurnModule.sol";
import {DepositFactory} from "src/DepositFactory.sol";
import {PALM} from "src/PALM.sol";
import {PayoutModule} from "src/PayoutModule.sol";
import {Kit} from "./Kit.sol";

// What the host pays for, with nothing random in it: .gas-snapshot holds these figures. Everything is prepared in setUp, whose gas does not count.
contract GasTest is Kit {
    PALM private palm;
    BurnModule private module;
    DepositFactory private factory;
    PayoutModule private payouts;
    address private constant BURNER = address(0xbb);
    bytes32 private constant ROOT = bytes32(uint256(0x7007));
    bytes32[] private _one;
    bytes32[] private _ten;
    bytes32[] private _hundred;

    function setUp() public {
        palm = new PALM(address(this), address(0x22));
        module = new BurnModule(palm, address(this), address(0xad), BURNER, 1e15);
        factory = new DepositFactory(payable(address(0x7ea5)));
        palm.approve(address(module), type(uint256).max);
        payouts = new PayoutModule(palm, address(this), address(0xad), BURNER, 1e15);
        palm.approve(address(payouts), type(uint256).max);
        palm.transfer(address(0x7ea5), 1);
        _pay(1000, 1);
        vm.prank(BURNER);
        module.burn("first", 1, ROOT);
        _one = salts(1, 1);
        _ten = salts(101, 10);
        _hundred = salts(201, 100);
        for (uint256 i = 0; i < 100; i++) {
            palm.transfer(factory.addressOf(bytes32(i + 1)), 5);
            palm.transfer(factory.addressOf(bytes32(i + 101)), 5);
            palm.transfer(factory.addressOf(bytes32(i + 201)), 5);
        }
        factory.sweep(palm, salts(51, 1));      // deployed
        palm.transfer(factory.addressOf(bytes32(uint256(51))), 5);
    }

    function test_gas_burn() public {
        vm.prank(BURNER);
        module.burn("second", 1, ROOT);
    }

    function test_gas_sweep_1_new() public {
        factory.sweep(palm, _one);
    }

    function test_gas_sweep_1_deployed() public {
        factory.sweep(palm, salts(51, 1));
    }

    function test_gas_sweep_10_new() public {
        factory.sweep(palm, _ten);
    }

    function test_gas_sweep_100_new() public {
        factory.sweep(palm, _hundred);
    }

    function _pay(uint256 from, uint256 count) private {
        address[] memory to = new address[](count);
        uint256[] memory amounts = new uint256[](count);
        for (uint256 i = 0; i < count; i++) (to[i], amounts[i]) = (address(uint160(0xa000 + from + i)), 5);
        vm.prank(BURNER);
        payouts.pay(salts(from, count), to, amounts);
    }

    function test_gas_pay_1() public {
        _pay(2000, 1);
    }

    function test_gas_pay_10() public {
        _pay(2000, 10);
    }

    function test_gas_pay_100() public {
        _pay(2000, 100);
    }

    function test_gas_deploy_payout_module() public {
        new PayoutModule(palm, address(this), address(0xad), BURNER, 1e15);
    }

    function test_gas_deploy_palm() public {
        new PALM(address(0x33), address(0x44));
    }

    function test_gas_deploy_burn_module() public {
        new BurnModule(palm, address(this), address(0xad), BURNER, 1e15);
    }

    function test_gas_deploy_factory() public {
        new DepositFactory(payable(address(0x7ea5)));
    }
}
